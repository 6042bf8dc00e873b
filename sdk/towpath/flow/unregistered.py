"""Inputs that are defined in place (`source`) → what they hold when the run starts: pinned like versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pydantic import ValidationError

from towpath.api.pipeline import PipelineSpec
from towpath.api.ports import Input
from towpath.api.sources import InlineDataset, Source
from towpath.api.step import Step
from towpath.flow import datastores, names, references, reports
from towpath.flow.conditions import RunReason
from towpath.flow.contents import PinnedSource
from towpath.flow.documents import datastore_document, digest_of
from towpath.flow.listing import datastores_of, listing_of, why_not_copied, written_into
from towpath.flow.mover_orders import InventorySurvey, Listing
from towpath.flow.readiness import Patience
from towpath.flow.report_fields import UnreadableReportError
from towpath.flow.sources import Sources
from towpath.flow.stalled import StalledError
from towpath.flow.surveys import Batch, ask_all, final_failure, in_pods, some_of

# The kubelet shares 12 KiB of reports among the containers of a pod.
LISTINGS_PER_POD = 5

Place = tuple[str, str]


@dataclass(frozen=True)
class _Wanted:
    step: Step
    given: Input
    dataset: InlineDataset

    @property
    def place(self) -> Place:
        return self.step.name, self.given.name

    @property
    def subject(self) -> str:
        return f"Step {self.step.name}, input {self.given.name}"


def check_sources(step: Step, known: Collection[str]) -> None:
    """Raise StalledError for what is wrong with a step's sources, whatever a run's parameters are."""
    for given in step.inputs:
        for place, source in enumerate(given.source.sources if given.source else ()):
            where = f"Step {step.name}, input {given.name}: source.sources[{place}].path"
            references.check(source.path or "", known, where)


def datastores_named(spec: PipelineSpec) -> set[str]:
    """The datastores that inputs defined in place name."""
    given = (one.source for step in spec.steps for one in step.inputs if one.source)
    return {name for dataset in given for name in datastores_of(dataset.sources)}


def pin_sources(
    sources: Sources, patience: Patience, spec: PipelineSpec, values: Mapping[str, str]
) -> dict[Place, PinnedSource]:
    """What each input that is defined in place holds; raises until movers have found that out."""
    wanted = list(_wanted(spec, values))
    listings = {one.place: _listing(sources, patience, one) for one in wanted}
    # Two inputs of the same sources share one inventory, or they might not be the same.
    shared: dict[str, list[_Wanted]] = {}
    for one in wanted:
        shared.setdefault(_key(listings[one.place]), []).append(one)
    batches = [
        _batch([(listings[same[0].place], same) for same in some])
        for some in in_pods(shared.values(), LISTINGS_PER_POD)
    ]
    answers = ask_all(batches, sources.surveyors, patience)
    texts = (text for answer in answers for text in answer)
    found: dict[Place, PinnedSource] = {}
    for same, text in zip(shared.values(), texts, strict=True):
        pinned = _pinned(same[0], listings[same[0].place], text)
        found |= {one.place: pinned for one in same}
    return found


def _wanted(spec: PipelineSpec, values: Mapping[str, str]) -> Iterator[_Wanted]:
    for step in spec.steps:
        for given in step.inputs:
            if given.source:
                yield _Wanted(step, given, _substituted(step, given, given.source, values))


def _substituted(
    step: Step, given: Input, dataset: InlineDataset, values: Mapping[str, str]
) -> InlineDataset:
    known = {**values, "step.name": step.name}
    replaced = []
    for place, source in enumerate(dataset.sources):
        path = None if source.path is None else references.substitute(source.path, known)
        try:
            replaced.append(
                Source.model_validate(source.as_dict() | ({} if path is None else {"path": path}))
            )
        except ValidationError as error:
            words = (
                f"Step {step.name}, input {given.name}: source.sources[{place}].path: {path!r} is no path inside "
                "a datastore, such as raw/2026/*.csv: it has no leading slash, and no parts that are empty, . or .."
            )
            raise StalledError(RunReason.INVALID_PIPELINE, words) from error
    return dataset.model_copy(update={"sources": tuple(replaced)})


def _listing(sources: Sources, patience: Patience, wanted: _Wanted) -> Listing:
    dataset = wanted.dataset
    for name in sorted(set(datastores_of(dataset.sources))):
        datastores.usable(sources, patience, name)
    into = written_into(dataset.sources, sources.datastores)
    refused = why_not_copied(dataset.sources, sources.datastores)
    if into is None or refused:
        words = refused or "its datastores are readOnly, and so is, or is missing, the one named default"
        raise StalledError(RunReason.READ_ONLY, f"{wanted.subject}: no inventory can be written: {words}.")
    return listing_of(dataset, into, sources.datastores)


def _key(listing: Listing) -> str:
    stores = [datastore_document(store) for store in listing.datastores]
    sources = [dict(source) for source in listing.sources]
    asked = {"type": listing.type, "sources": sources, "into": listing.into, "datastores": stores}
    return digest_of(asked | ({"format": dict(listing.format)} if listing.format else {}))


def _batch(asked: Sequence[tuple[Listing, Sequence[_Wanted]]]) -> Batch:
    listings = tuple(listing for listing, _ in asked)
    subjects = tuple(same[0].subject for _, same in asked)
    inputs = tuple("/".join(same[0].place) for _, same in asked)
    return Batch(
        key=names.ask_of("inventory", *map(_key, listings)),
        containers=tuple(names.listing_container(number) for number in range(len(listings))),
        subjects=subjects,
        doing=f"{some_of(subjects)}: the inventory of its source is being taken",
        make=partial(InventorySurvey, listings=listings, inputs=inputs),
    )


def _pinned(wanted: _Wanted, listing: Listing, text: str | None) -> PinnedSource:
    try:
        content = reports.read_inventory(text).content
    except UnreadableReportError as error:
        words = f"the inventory's report cannot be read: {error}"
        raise final_failure(wanted.subject, words) from error
    return PinnedSource(replace(content, format=listing.format), listing.sources)
