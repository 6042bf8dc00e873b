"""Status writes: one merge patch that turns what is there into what should be, with a version as its precondition."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any

from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from controller.broken_server import broken_server
from towpath_operator.cluster.resources import PIPELINE_RUNS, Key
from towpath_operator.cluster.status import StatusWriter, merge_patch
from towpath_operator.cluster.store import Store
from towpath_operator.metrics import Metrics

Json = dict[str, Any]

leaves = st.one_of(
    st.booleans(), st.integers(), st.sampled_from(["", "x"]), st.lists(st.integers(), max_size=3)
)
documents = st.recursive(
    st.dictionaries(st.sampled_from("abc"), leaves, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), st.one_of(leaves, inner), max_size=3),
    max_leaves=8,
)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386, section 2, as the API server does it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@given(documents, documents)
def test_the_patch_turns_the_old_into_the_new(old: Json, new: Json) -> None:
    assert merged(copy.deepcopy(old), merge_patch(old, new)) == new


@given(documents)
def test_nothing_is_sent_where_nothing_differs(status: Json) -> None:
    assert merge_patch(status, copy.deepcopy(status)) == {}


def run_object(version: str, **status: Any) -> Json:
    meta = {"name": "r", "namespace": "ns", "uid": "u", "resourceVersion": version}
    return {"metadata": meta, "spec": {}, "status": status}


def story(answer_status: int) -> tuple[Json | None, Json, Store, list[tuple[str, Json]]]:
    """One write of a new message against a server that answers so; the write's result and what was sent."""
    store = Store(PIPELINE_RUNS, lambda _: None)
    seen = run_object("5", message="old")
    store.put(seen)
    sent: list[tuple[str, Json]] = []

    async def scenario() -> Json | None:
        async with broken_server() as (server, client):

            async def handler(request: web.Request) -> web.StreamResponse:
                body = json.loads(await request.text() or "{}")
                sent.append((f"{request.method} {request.path} {request.content_type}", body))
                newer = run_object("6", message="somebody else's")
                conflict = {"reason": "Conflict", "message": "changed"}
                is_refused = answer_status == 409 and request.method == "PATCH"
                return web.json_response(conflict if is_refused else newer, status=409 if is_refused else 200)

            server.handler = handler
            return await StatusWriter(client, Metrics()).write(store, seen, {"message": "new"})

    return asyncio.run(scenario()), seen, store, sent


def test_a_write_names_the_version_that_it_was_decided_from() -> None:
    result, _, store, sent = story(200)
    assert sent == [
        (
            "PATCH /apis/towpath.dev/v1alpha1/namespaces/ns/pipelineruns/r/status application/merge-patch+json",
            {"metadata": {"resourceVersion": "5"}, "status": {"message": "new"}},
        )
    ]
    assert result is not None
    stored = store.get("ns", "r")
    assert stored is not None
    assert stored["metadata"]["resourceVersion"] == "6"


def test_a_conflict_is_looked_at_again_and_nothing_is_overwritten() -> None:
    result, _, store, sent = story(409)
    assert result is None
    assert [words.split()[0] for words, _ in sent] == ["PATCH", "GET"]
    stored = store.get("ns", "r")
    assert stored is not None
    assert stored["status"] == {"message": "somebody else's"}


def test_progress_is_held_back_for_a_second_and_more_for_large_objects() -> None:
    now = 100.0

    async def scenario() -> None:
        nonlocal now
        async with broken_server() as (server, client):

            async def handler(_: web.Request) -> web.StreamResponse:
                return web.json_response(run_object("6"))

            server.handler = handler
            writer, key = StatusWriter(client, Metrics(), lambda: now), Key("PipelineRun", "ns", "r")
            store = Store(PIPELINE_RUNS, lambda _: None)
            assert writer.hold_back(key) == 0
            await writer.write(store, run_object("5"), {"message": "small"})
            assert 1.0 <= writer.hold_back(key) < 1.1
            assert 5.0 <= writer.hold_back(key, patience=4.0) < 5.1
            await writer.write(store, run_object("5"), {"message": "x" * 100 * 1024})
            assert 3.0 <= writer.hold_back(key) < 3.1
            now += 4
            assert writer.hold_back(key) == 0

    asyncio.run(scenario())
