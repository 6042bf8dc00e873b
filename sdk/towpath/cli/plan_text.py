"""What a run would come to → lines for people, and a document for programmes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from towpath.cli.outlook import InputOutlook, StepOutlook
from towpath.cli.preview import Foreseen
from towpath.cli.printable import printable
from towpath.cli.run_text import transform_words
from towpath.cli.sizes import size_for_people
from towpath.flow import documents
from towpath.flow.conditions import MissReason
from towpath.flow.misses import document as miss_document
from towpath.flow.planned import PlannedStep
from towpath.flow.recorded import Miss


def plan_lines(seen: Foreseen, steps: Sequence[StepOutlook]) -> Iterator[Text]:
    """Each step with what it reads, takes and writes, then the sums; nothing for a run that would be refused."""
    if seen.plan is None:
        return
    for step in steps:
        yield from _step(step)
    for note in seen.plan.notes:
        yield Text(f"Note: {printable(note)}")
    taken = sum(step.taken_from is not None for step in steps)
    yield Text("")
    yield Text(f"{len(steps)} steps: {len(steps) - taken} to run, {taken} taken from earlier runs", "bold")
    yield Text(f"To stage in: {_sum([step.bytes_in for step in steps])}")
    largest = [step.scratch for step in steps if step.scratch is not None]
    unknown = any(step.scratch is None for step in steps)
    if largest or unknown:
        known = size_for_people(max(largest, default=0))
        yield Text(f"Most of a node's disk that one step's inputs take: {known}{_more(unknown)}")


def outlook_document(seen: Foreseen, steps: Sequence[StepOutlook]) -> dict[str, Any]:
    """All of it, with the plan's own documents."""
    told: dict[str, Any] = {"mistake": seen.mistake, "waits": list(seen.waits)}
    told["steps"] = [_document(step) for step in steps]
    told["bytesToStageIn"] = _known(step.bytes_in for step in steps)
    told["plan"] = documents.write(seen.plan) if seen.plan else None
    return {name: value for name, value in told.items() if value is not None}


def miss_words(miss: Miss) -> str:
    """Why a step is run, in a sentence."""
    meaning = next((reason.meaning for reason in MissReason if reason == miss.reason), "")
    if miss.reason == MissReason.CHANGED:
        return f"changed since run {miss.run}: {', '.join(miss.components)}"
    return " ".join(part for part in (meaning, miss.message or "") if part)


def _step(step: StepOutlook) -> Iterator[Text]:
    taken = step.taken_from
    verdict = f"taken from {taken}, if its outputs are still there" if taken is not None else _why_run(step)
    style = "green" if taken is not None else ""
    yield Text.assemble((printable(step.planned.name), "bold"), "  ", (printable(verdict), style))
    for given in step.inputs:
        yield Text(f"  in   {printable(_input(given))}")
    for output in step.planned.outputs:
        place = f"new version of {output.register.dataset}" if output.register else output.datastore
        copied = f", copied to {output.export.datastore}:{output.export.path}" if output.export else ""
        yield Text(f"  out  {printable(f'{output.name} -> {place}{copied}')}")
    if taken is None and step.inputs:
        disk = "not known yet" if step.scratch is None else size_for_people(step.scratch)
        yield Text(f"  disk {_about(any(given.about for given in step.inputs))}{disk}")
    yield from (Text(f"  {name} {value}") for name, value in _asks(step.planned))


def _why_run(step: StepOutlook) -> str:
    if step.miss is not None:
        return f"to be run: {miss_words(step.miss)}"
    if step.planned.reuse == "Never":
        return "to be run (reuse: Never)"
    return "to be run, unless what its inputs come to was computed before"


def _input(given: InputOutlook) -> str:
    view = given.view
    size = "size not known yet"
    if view.data.bytes is not None and view.data.files is not None:
        files = f"{view.data.files} file{'' if view.data.files == 1 else 's'}"
        size = f"{_about(given.about)}{files}, {size_for_people(view.data.bytes)}"
    like = f"as in run {given.like}" if given.like else ""
    return "  ".join(
        part
        for part in (f"{view.name} <- {view.words}", size, like, transform_words(view.transforms))
        if part
    )


def _asks(planned: PlannedStep) -> Iterator[tuple[str, str]]:
    asked = (planned.resources or {}).get("requests") or (planned.resources or {}).get("limits") or {}
    if asked:
        yield (
            "asks",
            ", ".join(f"{printable(str(name))} {printable(str(value))}" for name, value in asked.items()),
        )
    if planned.shards:
        yield "runs", f"{planned.shards.count} times, each with its share of {planned.shards.input}"


def _document(step: StepOutlook) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": step.planned.name,
        "reuse": {"takenFrom": step.taken_from} if step.taken_from is not None else _missed(step),
        "bytesIn": step.bytes_in,
        "scratchBytes": step.scratch,
        "inputs": [_input_document(given) for given in step.inputs],
    }
    return {name: value for name, value in told.items() if value is not None}


def _missed(step: StepOutlook) -> Mapping[str, Any]:
    return {"miss": miss_document(step.miss)} if step.miss else {}


def _input_document(given: InputOutlook) -> dict[str, Any]:
    told = {
        "name": given.view.name,
        "from": given.view.words,
        "files": given.view.data.files,
        "bytes": given.view.data.bytes,
        "scratchBytes": given.scratch,
        "estimated": given.about or None,
        "likeRun": given.like,
    }
    return {name: value for name, value in told.items() if value is not None}


def _sum(sizes: Sequence[int | None]) -> str:
    return size_for_people(sum(size for size in sizes if size)) + _more(None in sizes)


def _known(sizes: Iterator[int | None]) -> int | None:
    found = list(sizes)
    return None if None in found else sum(size for size in found if size)


def _more(unknown: bool) -> str:
    return ", and what is not known yet" if unknown else ""


def _about(estimated: bool) -> str:
    return "~" if estimated else ""
