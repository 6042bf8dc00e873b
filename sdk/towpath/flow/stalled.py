"""The error of flow: nothing will change until the user changes something. Also the hints that go with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from towpath.flow.conditions import Reason


class StalledError(Exception):
    """The user must change something. `reason` is of the documented list, `message` says what and how."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def near(name: str, known: Iterable[str]) -> str:
    """A hint for a name that is unknown: near names, else a few that exist, else that there are none."""
    names = sorted(set(known))
    if not names:
        return "There are none."
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"There is {', '.join(names[:5])}{more}."
