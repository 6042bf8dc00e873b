"""What the API server answers instead of an object → the errors that a user's programme may catch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from towpath.errors import (
    AlreadyExistsError,
    InvalidObjectError,
    NotFoundError,
    TowpathError,
    UnreachableError,
    UserErrorException,
)


@dataclass(frozen=True)
class Refusal:
    """An answer of 400 and more: code, machine-readable reason, message, and what the message is about."""

    code: int
    reason: str
    message: str
    details: dict[str, Any]

    @property
    def is_missing_object(self) -> bool:
        """Whether it is the object that is not there, and not its kind."""
        return self.code == 404 and self.reason == "NotFound" and "name" in self.details

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be taken a moment later."""
        return self.code == 429 or self.code >= 500


def read_refusal(code: int, body: bytes) -> Refusal:
    """The refusal in an answer; what stands before an API server answers in words of its own."""
    text = body.decode(errors="replace")
    try:
        told = json.loads(text)
        return Refusal(code, str(told["reason"]), str(told["message"]), dict(told.get("details") or {}))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Refusal(code, "Unknown", text.strip()[:300] or f"HTTP {code}", {})


def error_of(refusal: Refusal, doing: str, where: str) -> TowpathError:
    """The error; `doing` says what was tried, `where` of which namespace and cluster."""
    what = f"Could not {doing} in {where}: {refusal.message.rstrip('.')}."
    if refusal.code in (400, 422):
        return InvalidObjectError(_invalid(refusal, doing, where))
    if refusal.code == 409 and refusal.reason == "AlreadyExists":
        return AlreadyExistsError(f"{what} Choose another name, or delete it first.")
    if refusal.code == 404:
        return NotFoundError(what if refusal.is_missing_object else f"{what} {_UNKNOWN_KIND}")
    if refusal.may_pass:
        return UnreachableError(f"{what} Try again; if it goes on, see the API server.")
    return UserErrorException(f"{what} {_ADVICE[refusal.code]}" if refusal.code in _ADVICE else what)


_ADVICE = {
    401: "Log in again: the credentials of the kubeconfig are not accepted.",
    403: "Ask for the role `edit` in this namespace, or see what the message names, such as a quota.",
}
_UNKNOWN_KIND = "Is Towpath installed on this cluster, and is it the right one (kubectl config get-contexts)?"


def _invalid(refusal: Refusal, doing: str, where: str) -> str:
    causes = [
        f"{cause['field']}: {cause['message']}" if cause.get("field") else cause["message"]
        for cause in refusal.details.get("causes") or ()
        if cause.get("message")
    ]
    told = "; ".join(causes) or refusal.message
    return f"Could not {doing} in {where}: the API's rules refuse it. {told.rstrip('.')}."
