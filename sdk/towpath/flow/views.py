"""The transforms of inputs → views that can be planned: references replaced, seeds drawn, every field checked.

What a view selects is in `subsets.py`; docs/explanation/views.md says it in words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from typing import Any, TypeAlias

from towpath.api.pipeline import PipelineSpec
from towpath.api.ports import Input
from towpath.api.step import Step
from towpath.flow import references
from towpath.flow.conditions import RunReason
from towpath.flow.stalled import StalledError
from towpath.flow.transform_documents import read_chain
from towpath.flow.transforms import Sample, Shard, Skip, Split, Take, Transform, TransformError

Chain: TypeAlias = tuple[Transform, ...]
Views: TypeAlias = Mapping[tuple[str, str], Chain]

_SEED_BITS = 63


def drawn_seed(run_uid: str) -> int:
    """The seed of all transforms of a run that have none: one for all, or train and test would not match.

    It is the first 63 bits of the SHA-256 of the run's UID: a plan that is made again has the same.
    """
    return int.from_bytes(sha256(run_uid.encode()).digest()[:8]) >> (64 - _SEED_BITS)


def views_of(spec: PipelineSpec, values: Mapping[str, str], seed: int) -> Views:
    """The views of a run by (step, input); StalledError names the field that cannot be."""
    return {
        (step.name, given.name): _chain(step, given, {**values, "step.name": step.name}, seed)
        for step in spec.steps
        for given in step.inputs
        if given.transforms
    }


def check_views(step: Step, known: Collection[str]) -> None:
    """Raise StalledError for what is wrong with a step's transforms, whatever a run's parameters are."""
    for given in step.inputs:
        texts = list(_texts(_documents(given), "transforms"))
        for place, text in texts:
            references.check(text, known, f"{_where(step, given)}: {place}")
        if not any(references.references_in(text) for _, text in texts):
            _chain(step, given, {}, seed=0)


def facts_of(given: Input, chain: Chain) -> Iterator[str]:
    """What the user should know of a view before it is used: a seed that was drawn, a part that is empty."""
    for document, transform in zip(_documents(given), chain, strict=True):
        [asked] = document.values()
        if isinstance(transform, Sample | Split) and "seed" not in asked:
            yield f"seed {transform.seed} was drawn"
        if isinstance(transform, Split) and transform.bounds()[0] == transform.bounds()[1]:
            yield f"its part {transform.part} is 0 percent, so it is empty"


def surely_empty(step: Step) -> Iterator[str]:
    """The inputs whose transforms select nothing whatever the data are, of those that may not be empty."""
    for given in step.inputs:
        documents = _documents(given)
        is_known = not any(references.references_in(text) for _, text in _texts(documents, ""))
        if documents and is_known and not given.allow_empty and most_records(_chain(step, given, {}, 0)) == 0:
            yield f"step {step.name}, input {given.name}"


def most_records(chain: Chain) -> int | None:
    """How many records a view has at most, whatever it is a view of; None where there is no such number."""
    most: int | None = None
    for transform in chain:
        match transform:
            case Split() if transform.bounds()[0] == transform.bounds()[1]:
                most = 0
            case Take(count):
                most = count if most is None else min(most, count)
            case Skip(count) if most is not None:
                most = max(0, most - count)
            case Shard(index, count) if most is not None:
                most = max(0, -(-(most - index) // count))
            case _:
                pass
    return most


def _chain(step: Step, given: Input, values: Mapping[str, str], seed: int) -> Chain:
    documents = _documents(given)
    try:
        return read_chain(_substituted(documents, values), seed)
    except TransformError as error:
        used = {name for _, text in _texts(documents, "") for name in references.references_in(text)}
        here = "".join(f" Here $({name}) is {values[name]}." for name in sorted(used))
        raise StalledError(RunReason.INVALID_PIPELINE, f"{_where(step, given)}: {error}{here}") from error


def _where(step: Step, given: Input) -> str:
    return f"Step {step.name}, input {given.name}"


def _documents(given: Input) -> list[dict[str, Any]]:
    return [transform.as_dict() for transform in given.transforms]


def _texts(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Every text in a document, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from _texts(member, f"{place}.{name}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _texts(member, f"{place}[{index}]")


def _substituted(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return references.substitute(value, values)
    if isinstance(value, Mapping):
        return {name: _substituted(member, values) for name, member in value.items()}
    if isinstance(value, list):
        return [_substituted(member, values) for member in value]
    return value
