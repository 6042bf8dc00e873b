"""What is said of an input that has nothing in it, which is a failure unless the input allows it."""

from __future__ import annotations

import json

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.order import InputOrder


def empty_input(given: InputOrder, selected_of: str | None = None) -> MoverFailure:
    """Return EmptyInput; of a view with what it selects none of, such as `60 files`, and with its transforms."""
    what, why, more = "files", "", ""
    if selected_of is not None:
        what = selected_of.rpartition(" ")[2]
        why = f": its transforms select none of {selected_of}"
        # The chain comes last: it may be longer than a message.
        more = f" They are {json.dumps(given.transforms, ensure_ascii=False)}."
    message = f"Input {given.name!r} has no {what}{why}. Say allowEmpty: true on it if that is what the step expects."
    return MoverFailure(Reason.EMPTY_INPUT, message + more)
