"""The client's errors are named by what must happen next."""

from __future__ import annotations

import asyncio
import json

import pytest

from controller.broken_server import Handler, broken_server, cut, hang, refuse
from towpath_operator.cluster.api import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    GoneError,
    NotFoundError,
    TryAgainError,
    error_of,
)


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (404, "NotFound", NotFoundError),
        (409, "AlreadyExists", AlreadyExistsError),
        (409, "Conflict", ConflictError),
        (410, "Expired", GoneError),
        (429, "TooManyRequests", TryAgainError),
        (500, "InternalError", TryAgainError),
        (503, "ServiceUnavailable", TryAgainError),
        (403, "Forbidden", ApiError),
        (422, "Invalid", ApiError),
    ],
)
def test_an_answer_is_named_by_what_must_happen_next(status: int, reason: str, kind: type[ApiError]) -> None:
    error = error_of(status, json.dumps({"reason": reason, "message": "why"}))
    assert type(error) is kind
    assert error.message == "why"


def test_an_answer_that_is_no_json_is_told_as_it_is() -> None:
    assert error_of(502, "<html>bad gateway</html>").message == "<html>bad gateway</html>"
    assert error_of(502, "[]").message == "[]"


@pytest.mark.parametrize("broken", [hang, cut], ids=["hangs", "cuts"])
def test_no_usable_answer_is_a_reason_to_try_again_that_names_the_server(broken: Handler) -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = broken
            with pytest.raises(TryAgainError, match=r"get /api/v1/pods: no usable answer from http://127"):
                await client.get("/api/v1/pods", timeout=0.2)
            assert server.counted[-1] == ("get", "none")

    asyncio.run(story())


def test_every_call_is_counted_by_verb_and_code() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = refuse(409, "AlreadyExists")
            with pytest.raises(AlreadyExistsError):
                await client.create("/x", {})
            server.handler = refuse(403, "Forbidden")
            with pytest.raises(ApiError):
                await client.get("/x", {"limit": "1"})
            with pytest.raises(ApiError):
                await client.patch("/x", {})
            assert server.counted == [("create", "409"), ("list", "403"), ("patch", "403")]

    asyncio.run(story())
