"""What `serve` answers → values, or the errors that a user's programme may catch."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from towpath.errors import ChangedError, NotFoundError, TowpathError, UnreachableError, UserErrorException


class BrokenAnswerError(http.client.HTTPException):
    """An answer that is cut, or of other bytes than were sent: another try may bring it whole."""


_ERRORS: dict[int, type[TowpathError]] = {404: NotFoundError, 409: ChangedError, 503: UnreachableError}


def raise_for(answer: http.client.HTTPResponse) -> None:
    """Raise what a refusal stands for."""
    if answer.status >= 400:
        _raise(_ERRORS.get(answer.status, UserErrorException), json.loads(answer.read() or b"{}"))


def lines_in(answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """The lines of an answer, the last of which says how many they are, or what failed."""
    raise_for(answer)
    count = 0
    for text in iter(answer.readline, b""):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise BrokenAnswerError("a line was cut") from error
        if "failed" in line:
            _raise(UserErrorException, line["failed"])
        if "end" in line:
            if line["end"] != count:
                raise BrokenAnswerError(f"{count} lines came of {line['end']}")
            return
        count += 1
        yield line
    raise BrokenAnswerError(f"the answer ends after {count} lines")


def _raise(kind: type[TowpathError], told: Mapping[str, Any]) -> NoReturn:
    message = str(told.get("message") or "The pod of the transfer refuses, without a word.")
    # A block that changed on its way is sent again.
    raise BrokenAnswerError(message) if told.get("reason") == "OtherBytes" else kind(message)
