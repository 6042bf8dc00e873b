"""Events are written beside the work: in order, as people read them, and a refusal of one stops nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from controller.broken_server import broken_server, refuse
from towpath.flow.occurrences import Occurrence
from towpath_operator.cluster.events import MOST_WAITING, Recorder

Json = dict[str, Any]

RUN = {
    "apiVersion": "towpath.dev/v1alpha1",
    "kind": "PipelineRun",
    "metadata": {"name": "iris-1", "namespace": "team-a", "uid": "u-1"},
}
NOON = datetime(2026, 6, 1, 12, 0, 0, 5, tzinfo=UTC)


def test_an_event_says_of_which_object_what_became_in_the_words_of_its_status() -> None:
    [(path, event)] = _written(Occurrence("StepFailed", "step prep failed", is_warning=True))

    assert path == "/apis/events.k8s.io/v1/namespaces/team-a/events"
    assert (event["type"], event["reason"], event["note"]) == ("Warning", "StepFailed", "step prep failed")
    assert event["regarding"] == {
        "apiVersion": "towpath.dev/v1alpha1",
        "kind": "PipelineRun",
        "name": "iris-1",
        "namespace": "team-a",
        "uid": "u-1",
    }
    assert event["eventTime"] == "2026-06-01T12:00:00.000005Z"


def test_a_refused_event_is_left_out_and_the_next_is_written() -> None:
    written = _written(Occurrence("Planned", "one"), Occurrence("Succeeded", "two"), refused=1)

    assert [event["reason"] for _, event in written] == ["Succeeded"]


def test_more_events_than_may_wait_are_left_out() -> None:
    told = [Occurrence("Retrying", str(number)) for number in range(MOST_WAITING + 5)]

    assert [event["note"] for _, event in _written(*told)] == [str(number) for number in range(MOST_WAITING)]


def _written(*occurrences: Occurrence, refused: int = 0) -> list[tuple[str, Json]]:
    """What came to be of these Events, of which the first ones are refused."""
    return asyncio.run(_write(occurrences, refused))


async def _write(occurrences: tuple[Occurrence, ...], refused: int) -> list[tuple[str, Json]]:
    written: list[tuple[str, Json]] = []
    left = [refuse(403, "Forbidden")] * refused

    async def answer(request: web.Request) -> web.StreamResponse:
        if left:
            return await left.pop()(request)
        written.append((request.path, json.loads(await request.text())))
        return web.json_response({})

    async with broken_server() as (server, client):
        server.handler = answer
        recorder = Recorder(client, "operator-1", lambda: NOON)
        for occurrence in occurrences:
            recorder.tell(RUN, occurrence)
        running = asyncio.create_task(recorder.run())
        await recorder.written()
        running.cancel()
    return written
