"""One object, each time it changed: a watch that outlives closed connections, expired versions and a laptop's sleep."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from towpath.backend import Manifest
from towpath.cluster.client import Answer, Client, RefusedError, Request
from towpath.cluster.patience import Patience
from towpath.cluster.refusals import read_refusal
from towpath.errors import UnreachableError

# The server sends a bookmark about once a minute: more silence is a dead connection.
_SILENCE_SECONDS = 90.0
_ONE_WATCH_SECONDS = 300.0
_PIECE = 1 << 16


@dataclass
class _Watch:
    """Where one object's watch is; `version` is the last that was seen."""

    client: Client
    collection: str
    name: str
    ends: float
    version: str
    patience: Patience

    def left(self) -> float:
        return self.ends - time.monotonic()


def watch_object(
    client: Client, collection: str, found: Manifest, timeout_seconds: float | None
) -> Iterator[Manifest]:
    """The object as it was found, then each time it changed; ends at the timeout or when the object goes."""
    ends = time.monotonic() + timeout_seconds if timeout_seconds is not None else float("inf")
    meta = found["metadata"]
    watch = _Watch(client, collection, meta["name"], ends, meta["resourceVersion"], Patience())
    yield found
    while watch.left() > 0:
        try:
            for event in _events(watch):
                if event["type"] == "DELETED":
                    return
                yield event["object"]
        except UnreachableError as error:
            watch.patience.wait(error, watch.left())
        except RefusedError as refused:
            if refused.refusal.code != 410:
                raise client.error(refused, f"watch {watch.name}") from None
            again = _read_again(watch)
            if again is None:
                return
            yield again


def _events(watch: _Watch) -> Iterator[dict[str, Any]]:
    """What one connection gives; bookmarks only move the version on."""
    seconds = max(1.0, min(_ONE_WATCH_SECONDS, watch.left()))
    query: dict[str, str | int] = {
        "watch": "true",
        "fieldSelector": f"metadata.name={watch.name}",
        "resourceVersion": watch.version,
        "allowWatchBookmarks": "true",
        "timeoutSeconds": int(seconds),
    }
    request = Request("GET", watch.collection, f"watch {watch.name}", query)
    with watch.client.stream(request, min(_SILENCE_SECONDS, seconds + 1)) as answer:
        watch.patience.answered()
        for line in lines_of(answer):
            event = json.loads(line)
            watch.patience.answered()
            if event["type"] == "ERROR":
                status = json.dumps(event["object"]).encode()
                raise RefusedError(read_refusal(event["object"].get("code") or 500, status))
            watch.version = event["object"]["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                yield event


def _read_again(watch: _Watch) -> Manifest | None:
    """The object once more, where the server no longer knows what it was since the version that was seen."""
    try:
        found = watch.client.get(f"{watch.collection}/{watch.name}", f"read {watch.name}")
    except RefusedError as refused:
        if refused.refusal.is_missing_object:
            return None
        raise watch.client.error(refused, f"read {watch.name}") from None
    watch.version = found["metadata"]["resourceVersion"]
    watch.patience.answered()
    return found


def lines_of(answer: Answer) -> Iterator[bytes]:
    """The lines of an answer as they come; the last may have no newline."""
    rest = b""
    for piece in answer.stream(_PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest
