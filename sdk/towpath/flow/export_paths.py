"""`export.path` of outputs → folders to which they are copied: references replaced, none of them in another."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from towpath.api.pipeline import PipelineSpec
from towpath.api.ports import Export, Output
from towpath.api.step import Step
from towpath.flow import names, references, store_keys
from towpath.flow.conditions import RunReason
from towpath.flow.planned import PlannedExport, RunIdentity
from towpath.flow.stalled import StalledError

Place = tuple[str, str]

_PLACEHOLDER = re.compile(r"\{[^{}]*\}|[{}]")
_KNOWN = ("{run-id}", "{output-name}")
# Of a key with what lies below it.
_LONGEST = 512


def check_exports(step: Step, known: Collection[str]) -> None:
    """Raise StalledError for what is wrong with a step's exports, whatever a run's parameters are."""
    for output, export in _exports(step):
        where = _where(step, output)
        references.check(export.path, known, where)
        for found in _PLACEHOLDER.findall(export.path):
            if found not in _KNOWN:
                raise _invalid(f"{where}: {found} is not known: there are {' and '.join(_KNOWN)}.")


def exports_of(spec: PipelineSpec, run: RunIdentity, values: Mapping[str, str]) -> dict[Place, PlannedExport]:
    """Where each output is copied to that has an `export`, by (step, output)."""
    found: dict[Place, PlannedExport] = {}
    for step in spec.steps:
        for output, export in _exports(step):
            where = _where(step, output)
            planned = PlannedExport(
                export.datastore or names.DEFAULT_DATASTORE,
                _path(export, step, output, run, values, where),
            )
            _refuse_ours(planned, run, where)
            _refuse_nested(planned, found, where)
            found[step.name, output.name] = planned
    return found


def _exports(step: Step) -> Iterator[tuple[Output, Export]]:
    yield from ((output, output.export) for output in step.outputs if output.export)


def _where(step: Step, output: Output) -> str:
    return f"Step {step.name}, output {output.name}: export.path"


def _path(
    export: Export, step: Step, output: Output, run: RunIdentity, values: Mapping[str, str], where: str
) -> str:
    placed = {"{run-id}": store_keys.run_folder(run.name, run.uid), "{output-name}": output.name}
    # Before the references: what a parameter holds is never replaced again.
    template = _PLACEHOLDER.sub(lambda found: placed[found[0]], export.path)
    path = references.substitute(template, {**values, "step.name": step.name}).rstrip("/")
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path or not path.isprintable():
        raise _invalid(
            f"{where} is {path!r} here: it must be a folder below the datastore's prefix, without empty parts, "
            "`.`, `..`, backslashes and control characters."
        )
    if len(path.encode()) > _LONGEST:
        raise _invalid(f"{where} is longer than {_LONGEST} bytes here.")
    return path


def _refuse_ours(planned: PlannedExport, run: RunIdentity, where: str) -> None:
    for owned in store_keys.owned_keys(run.namespace):
        if f"{planned.path}/".startswith(owned) or owned.startswith(f"{planned.path}/"):
            raise _invalid(
                f"{where} is {planned.path} here, where Towpath keeps its own: take another folder."
            )


def _refuse_nested(planned: PlannedExport, others: Mapping[Place, PlannedExport], where: str) -> None:
    for (step, output), other in others.items():
        here, there = f"{planned.path}/", f"{other.path}/"
        if planned.datastore == other.datastore and (here.startswith(there) or there.startswith(here)):
            raise _invalid(
                f"{where} is {planned.path} here, and output {output} of step {step} goes to {other.path} in the "
                "same Datastore: neither may lie in the other. Put {output-name} into the path."
            )


def _invalid(message: str) -> StalledError:
    return StalledError(RunReason.INVALID_PIPELINE, message)
