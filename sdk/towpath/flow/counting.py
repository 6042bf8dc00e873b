"""Views of what a run has pinned → how many files and bytes they hold, counted by a mover before anything starts.

From it come the disk that a pod asks for, and the refusal of what is empty or does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from towpath.flow import names, reports
from towpath.flow.contents import Content, Counted, Pinned
from towpath.flow.documents import digest_of, inventory_document
from towpath.flow.mover_orders import CountSurvey, View
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.readiness import Patience
from towpath.flow.report_fields import UnreadableReportError
from towpath.flow.row_counts import counted_rows
from towpath.flow.sources import Sources
from towpath.flow.surveys import Batch, ask_all, final_failure, in_pods, some_of
from towpath.flow.transform_documents import chain_documents
from towpath.flow.transforms import Shard
from towpath.flow.views import Chain, Views

# Each is three numbers in a report of 2,457 bytes.
VIEWS_PER_POD = 40

Place = tuple[str, str]
# Of inputs that are shared out, into how many shares.
Shared = Mapping[Place, int]


def count_views(
    sources: Sources,
    patience: Patience,
    views: Views,
    shared: Shared,
    pins: Mapping[Place, Pinned],
    datastores: Sequence[PlannedDatastore],
) -> dict[Place, Counted]:
    """What each view of a pinned content holds, by (step, input); raises until a mover has counted them.

    A view of another step's output is not there: nobody knows yet what that will be. Views of rows are not counted
    but estimated. Of an input that is shared out it is what the largest share takes.
    """
    views = dict.fromkeys(shared, ()) | dict(views)
    pinned = {place: pins[place].content for place in views if place in pins}
    rows = {
        place: counted_rows([*views[place], Shard(0, shared.get(place, 1))], content)
        for place, content in pinned.items()
        if content.format
    }
    wanted = {
        place: _view(content, views[place], shared.get(place, 1))
        for place, content in pinned.items()
        if place not in rows
    }
    # Two inputs with one view are counted once.
    once: dict[str, tuple[View, Place]] = {}
    for place, view in wanted.items():
        once.setdefault(_key(view), (view, place))
    asked = in_pods(once.items(), VIEWS_PER_POD)
    batches = [_batch([question for _, question in some], datastores) for some in asked]
    answers = ask_all(batches, sources.surveyors, patience)
    counts: dict[str, Counted] = {}
    for some, [text] in zip(asked, answers, strict=True):
        counts |= dict(zip((key for key, _ in some), _read(text, len(some)), strict=True))
    return rows | {place: counts[_key(view)] for place, view in wanted.items()}


def _view(content: Content, chain: Chain, shards: int) -> View:
    return View(content.inventory, tuple(chain_documents(chain)), shards)


def _key(view: View) -> str:
    transforms = [dict(one) for one in view.transforms]
    document = {"inventory": inventory_document(view.inventory), "transforms": transforms}
    return digest_of(document | ({"shards": view.shards} if view.shards > 1 else {}))


def _batch(asked: Sequence[tuple[View, Place]], datastores: Sequence[PlannedDatastore]) -> Batch:
    views = tuple(view for view, _ in asked)
    entered = {view.inventory.datastore for view in views}
    stores = tuple(store for store in datastores if store.name in entered)
    subjects = tuple(f"Step {step}, input {given}" for _, (step, given) in asked)
    return Batch(
        key=names.ask_of("count", *map(_key, views)),
        containers=(names.COUNT_CONTAINER,),
        # Of a failure the mover says itself which view it concerns.
        subjects=("",),
        doing=f"{some_of(subjects)}: the view is being counted",
        make=partial(CountSurvey, views=views, datastores=stores, inputs=subjects),
    )


def _read(text: str | None, views: int) -> tuple[Counted, ...]:
    try:
        return reports.read_counts(text, views)
    except UnreadableReportError as error:
        raise final_failure("", f"The report of the counted views cannot be read: {error}") from error
