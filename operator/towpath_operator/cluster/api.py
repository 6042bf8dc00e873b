"""What the operator asks of an API server, and how one refuses: the seam between what reconciles and what answers.

`client.py` speaks to Kubernetes; `towpath.local` answers from a folder. Nothing here loads a client of either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

Json = dict[str, Any]
Query = Mapping[str, str]

REQUEST_SECONDS = 30.0


class Api(Protocol):
    """Objects by their request paths; plain dicts in and out. Every refusal is an ApiError."""

    async def get(self, path: str, query: Query | None = None, timeout: float = REQUEST_SECONDS) -> Json:
        """Read one object, or one page of a list."""

    async def create(
        self, path: str, body: Json, query: Query | None = None, timeout: float = REQUEST_SECONDS
    ) -> Json:
        """Create an object; the answer is the object as stored."""

    async def update(self, path: str, body: Json, timeout: float = REQUEST_SECONDS) -> Json:
        """Replace an object; metadata.resourceVersion in it is the precondition."""

    async def patch(self, path: str, body: Json, timeout: float = REQUEST_SECONDS) -> Json:
        """Merge into an object (RFC 7386); metadata.resourceVersion in it is a precondition."""

    async def delete(self, path: str, options: Json, timeout: float = REQUEST_SECONDS) -> Json:
        """Delete an object with these DeleteOptions."""


class ApiError(Exception):
    """The API server refused a request. `reason` is its machine-readable one; `retry_after` what it asked."""

    def __init__(self, status: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message, self.retry_after = status, reason, message, retry_after


class NotFoundError(ApiError):
    """There is no such object (404)."""


class AlreadyExistsError(ApiError):
    """An object of this name is there (409 on create)."""


class ConflictError(ApiError):
    """The object changed since it was read (409 on update): look again."""


class GoneError(ApiError):
    """The version to go on from is too old (410): list again."""


class TryAgainError(ApiError):
    """Nothing is wrong with the request (429, 5xx, no connection, no answer in time)."""


def error_of(status: int, text: str, retry_after: str | None = None) -> ApiError:
    """The error that an answer stands for, by what must happen next."""
    reason, message = _told(text)
    wait = float(retry_after) if retry_after and retry_after.isdigit() else None
    kinds: dict[int, type[ApiError]] = {404: NotFoundError, 410: GoneError, 429: TryAgainError}
    kind = kinds.get(status, TryAgainError if status >= 500 else ApiError)
    if status == 409:
        kind = AlreadyExistsError if reason == "AlreadyExists" else ConflictError
    return kind(status, reason, message, wait)


def _told(text: str) -> tuple[str, str]:
    try:
        told = json.loads(text)
        return str(told.get("reason") or "Unknown"), str(told.get("message") or text[:300])
    except (ValueError, AttributeError):
        return "Unknown", text[:300]
