"""Pipeline: steps put together. Everything that the SDK defines ends in its `to_yaml()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from towpath.emit import Emitted, Surroundings, emit
from towpath.errors import DefinitionError, TowpathError
from towpath.flow import names
from towpath.manifest_text import as_yaml
from towpath.outputs import datastore_name
from towpath.spelling import checks_keywords, near
from towpath.step_order import StepOrder, order_of

if TYPE_CHECKING:
    from towpath.runs import PipelineRun
    from towpath.workspace import Workspace

_LONGEST_NAME = 52


class Pipeline:
    """Steps whose order follows from their data (`steps` is a list, nested lists, or a StepSequence).

    Steps that others read from are taken in though they are not listed, unless `resolve_closure=False`.
    `default_datastore` keeps outputs that name none; `default_source_directory` is the folder of scripts whose steps
    name none. The graph is read at `to_yaml()` and `submit()`, not before. `name` is Towpath's own: the Pipeline
    object's, made of the steps' names where omitted.
    """

    @checks_keywords
    def __init__(  # noqa: PLR0913 - Azure ML's keywords, and a name
        self,
        workspace: Workspace | None,
        steps: Any,
        description: str | None = None,
        default_datastore: Any = None,
        default_source_directory: str | None = None,
        resolve_closure: bool = True,
        *,
        name: str | None = None,
    ) -> None:
        """Put steps together."""
        self.workspace = workspace
        self.description = description
        self._steps = steps
        self._resolve_closure = resolve_closure
        self._default_datastore = datastore_name(default_datastore)
        self._default_source_directory = default_source_directory
        self._name = name

    @property
    def name(self) -> str:
        """The name of the Pipeline object."""
        if self._name:
            return names.object_name(self._name)
        joined = "-".join(names.object_name(step.name) for step in self._order().steps)
        return joined[:_LONGEST_NAME].strip("-")

    def validate(self) -> list[str]:
        """Return what is wrong with the pipeline, or an empty list. Nothing is asked of a cluster."""
        try:
            self._emit()
        except TowpathError as error:
            return [str(error)]
        return []

    def manifests(
        self, run: str | None = None, pipeline_parameters: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return all objects: the ConfigMaps of its code, the Pipeline, and with a name a run of it."""
        emitted = self._emit()
        objects = [code.config_map for code in emitted.code]
        objects.append(_object("Pipeline", self.name, emitted.spec))
        if run is not None:
            values = self._values(pipeline_parameters)
            spec = {"pipelineRef": {"name": self.name}, **({"params": values} if values else {})}
            objects.append(_object("PipelineRun", names.object_name(run), spec))
        return objects

    def to_yaml(self, run: str | None = None, pipeline_parameters: Mapping[str, Any] | None = None) -> str:
        """Return the manifests for `kubectl apply`: its code, the Pipeline, and with a name a run of it."""
        return as_yaml(self.manifests(run, pipeline_parameters))

    @checks_keywords
    def submit(
        self,
        experiment_name: str,
        pipeline_parameters: Mapping[str, Any] | None = None,
        continue_on_step_failure: bool = False,
        regenerate_outputs: bool = False,
        parent_run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> PipelineRun:
        """Start a run and return it at once; `regenerate_outputs` takes no equal earlier work."""
        # Only here: a definition needs no backend.
        from towpath.submitting import submit  # noqa: PLC0415

        if parent_run_id is not None:
            raise DefinitionError("parent_run_id is not offered: a run belongs to no other run.")
        spec: dict[str, Any] = {"params": self._values(pipeline_parameters)}
        spec |= {"continueOnStepFailure": True} if continue_on_step_failure else {}
        spec |= {"reuse": False} if regenerate_outputs else {}
        return submit(self, experiment_name, {key: value for key, value in spec.items() if value != {}}, tags)

    def emitted(self) -> Emitted:
        """Return the spec and the code as they are now."""
        return self._emit()

    def mark_submitted(self, run: str) -> None:
        """Tell the outputs that they cannot change any more."""
        for step in self._order().steps:
            for output in step.outputs:
                output.submitted_as = run

    def _order(self) -> StepOrder:
        return order_of(self._steps, self._resolve_closure)

    def _emit(self) -> Emitted:
        around = Surroundings(self._default_datastore, self._default_source_directory)
        return emit(self._order(), self.description, around)

    def _values(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        declared = {one.name: one for step in self._order().steps for one in step.parameters}
        for name in given or {}:
            if name not in declared:
                raise DefinitionError(f"The pipeline has no parameter {name}. {near(name, declared)}")
        return {name: declared[name].checked(value) for name, value in (given or {}).items()}


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    if not names.is_object_name(name):
        raise DefinitionError(f"{name!r} cannot be the name of a {kind}: use letters, digits and -.")
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
