"""What of a pipeline cannot be as on a cluster where its steps are processes: refused, or listed before the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from towpath.backend import Kind, Manifest
from towpath.errors import InvalidObjectError
from towpath.flow import names
from towpath.local.engine import check_engine, engine_of

_IN_PODS = "/towpath/"
# Fields of a step that say how its pod is placed and bounded, which a process is not.
_PLACING = {
    "resources": "no limit of memory or CPU holds",
    "securityContext": "it runs as you",
    "queueName": "no queue admits it",
    "pendingTimeoutSeconds": "nothing is pending here",
}


class Objects(Protocol):
    """What is asked of a workspace."""

    def get(self, kind: Kind, name: str) -> Manifest | None:
        """The object, or None."""


def pipeline_spec_of(run: Mapping[str, Any], objects: Objects) -> Mapping[str, Any]:
    """The pipeline of a run; empty where it does not exist, which others say better."""
    spec = run.get("spec") or {}
    if spec.get("pipelineSpec"):
        return dict(spec["pipelineSpec"])
    pipeline = objects.get(Kind.PIPELINE, (spec.get("pipelineRef") or {}).get("name") or "none")
    return dict((pipeline or {}).get("spec") or {})


def check_run(run: Mapping[str, Any], objects: Objects) -> None:
    """Raise InvalidObjectError where a step cannot run here at all."""
    engine = engine_of(run)
    if engine is not None:
        check_engine(engine)
        return
    refused = [words for step in _steps(pipeline_spec_of(run, objects)) for words in _refusals(step)]
    if refused:
        raise InvalidObjectError("This pipeline cannot run without a cluster. " + " ".join(refused))


def notes_on(run: Mapping[str, Any], objects: Objects) -> list[str]:
    """What will not be as on a cluster, one sentence each."""
    steps = list(_steps(pipeline_spec_of(run, objects)))
    ignored = [words for step in steps for words in _ignored(step)]
    if engine_of(run) is not None:
        return ignored
    return ignored + [words for step in steps for words in _elsewhere(step)] + _on_images(steps)


def _steps(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    defaults = spec.get("stepDefaults") or {}
    for step in spec.get("steps") or ():
        yield {**defaults, **step}


def _refusals(step: Mapping[str, Any]) -> Iterator[str]:
    name = step["name"]
    if not step.get("command"):
        yield f"Step {name} has no command: that of its image is not known here; write it out."
    for where, text in _texts(step):
        if _IN_PODS in text:
            yield (
                f"Step {name}, {where}: {text!r} names a path of a pod. Use the reference, such as "
                "$(inputs.NAME.path) or $(outputs.NAME.path), or TOWPATH_INPUT_NAME of the environment."
            )


def _texts(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("command", "args"):
        for place, word in enumerate(step.get(field) or ()):
            yield f"{field}[{place}]", str(word)
    for entry in step.get("env") or ():
        yield f"env {entry['name']}", str(entry.get("value") or "")


def _ignored(step: Mapping[str, Any]) -> Iterator[str]:
    ignored = [f"{field} ({words})" for field, words in _PLACING.items() if step.get(field)]
    if step.get("computeTarget"):
        ignored.append(f"computeTarget {step['computeTarget']}")
    if ignored:
        yield f"Step {step['name']}: {', '.join(ignored)}: not honoured."


def _elsewhere(step: Mapping[str, Any]) -> Iterator[str]:
    name = step["name"]
    for port in [*(step.get("inputs") or ()), *(step.get("outputs") or ())]:
        path = port.get("mountPath") or ""
        if path and not path.startswith(f"{names.CONTAINER_WORK}/"):
            yield (f"Step {name}: {port['name']} is not at {path}, but where its reference says.")
    inline = (step.get("code") or {}).get("inline") or {}
    for file, text in inline.items():
        if _IN_PODS in text:
            yield f"Step {name}: {file} names {_IN_PODS}…, which is not there: let it read its arguments."


def _on_images(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    images = sorted({str(step["image"]) for step in steps if step.get("image")})
    if not images:
        return []
    words = f"Images are ignored ({', '.join(images)}): steps run as processes with this Python."
    return [f"{words} A container engine would honour them: --engine podman."]
