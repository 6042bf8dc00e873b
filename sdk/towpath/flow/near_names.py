"""The hint that goes with a name that does not exist. Standard library only: steps get it too."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near(name: str, known: Iterable[str], shown: int = 5) -> str:
    """A hint for a name that is unknown: near names, else the first `shown` that exist, else that there are none."""
    names = sorted(set(known))
    if not names:
        return "There are none."
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"There is {', '.join(names[:shown])}{more}."
