"""RunConfiguration and Environment: image, variables and compute target of steps, as Azure ML's users write them.

What cannot be honoured is refused by name when a step uses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from towpath.errors import DefinitionError
from towpath.flow import names
from towpath.spelling import checks_keywords, near

_BUILDS = (
    "packages are not installed while a step starts: build an image that has them, and name it with "
    "Environment.from_docker_image(name, image)"
)


@dataclass
class DockerSection:
    """The image of an environment."""

    enabled: bool = True
    base_image: str | None = None
    base_dockerfile: str | None = None


class Environment:
    """An image and environment variables. `env.docker.base_image` is the image."""

    @checks_keywords
    def __init__(self, name: str) -> None:
        """Name it; the name is for people."""
        self.name = name
        self.docker = DockerSection()
        self.environment_variables: dict[str, str] = {}
        self.python: Any = None

    @staticmethod
    @checks_keywords
    def from_docker_image(name: str, image: str) -> Environment:
        """Return an environment of an image that exists."""
        environment = Environment(name)
        environment.docker.base_image = image
        return environment

    @staticmethod
    def from_conda_specification(name: str, file_path: str) -> Environment:
        """Refuse: there is no build of images here."""
        raise DefinitionError(f"Environment {name} from {file_path}: {_BUILDS}.")

    @staticmethod
    def from_pip_requirements(name: str, file_path: str) -> Environment:
        """Refuse: there is no build of images here."""
        raise DefinitionError(f"Environment {name} from {file_path}: {_BUILDS}.")

    @property
    def image(self) -> str | None:
        """The image; DefinitionError where the environment would have to be built."""
        if self.docker.base_dockerfile:
            raise DefinitionError(f"Environment {self.name}, docker.base_dockerfile: {_BUILDS}.")
        if self.python is not None:
            raise DefinitionError(f"Environment {self.name}, python: {_BUILDS}.")
        return self.docker.base_image


@dataclass
class RunConfiguration:
    """What several steps have in common. `target` is the name of a PodTemplate; none is needed."""

    target: Any = None
    environment: Environment | None = None
    environment_variables: dict[str, str] = field(default_factory=dict)
    node_count: int = 1
    docker: Any = None
    framework: str | None = None
    communicator: str | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse a field that there is not."""
        known = type(self).__dataclass_fields__
        if name not in known:
            raise DefinitionError(f"RunConfiguration has no field {name}. {near(name, known)}")
        super().__setattr__(name, value)

    def check(self) -> RunConfiguration:
        """Return it, if a step can honour all of it."""
        if self.node_count != 1:
            raise DefinitionError(
                f"node_count={self.node_count}: a step is one pod. PythonScriptStep(shards=…) runs it many times."
            )
        for name, value in (("framework", self.framework), ("communicator", self.communicator)):
            if value not in (None, "Python", "None"):
                raise DefinitionError(
                    f"RunConfiguration.{name}={value!r} is not offered: a step is one container."
                )
        return self

    @property
    def image(self) -> str | None:
        """The image of its environment."""
        return self.environment.image if self.environment else None

    def variables(self) -> dict[str, str]:
        """Return its environment variables, its own over its environment's."""
        return {
            **(self.environment.environment_variables if self.environment else {}),
            **self.environment_variables,
        }


def target_name(target: Any) -> str | None:
    """Return the name of a compute target: given by name, as (name, type), or as an object."""
    if target is None or target == "local":
        return None
    given = target[0] if isinstance(target, tuple) else target
    return names.object_name(given if isinstance(given, str) else given.name)
