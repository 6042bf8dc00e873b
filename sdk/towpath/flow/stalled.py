"""The error of flow: nothing will change until the user changes something."""

from __future__ import annotations

from towpath.flow.conditions import Reason


class StalledError(Exception):
    """The user must change something. `reason` is of the documented list, `message` says what and how."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
