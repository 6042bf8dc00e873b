"""What clouds put into a pod's environment: an identity, for the datastores that name no Secret, and for no other.

obstore's clients read it unasked, when they are made, and prefer some of it to what they are told: a datastore with a
Secret would be entered as somebody else than its messages say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_MEANT = ("AWS_", "AZURE_", "GOOGLE_", "IDENTITY_", "MSI_")
_ONE_AT_A_TIME = Lock()


@contextmanager
def surroundings(*, are_seen: bool) -> Iterator[None]:
    """Make a client in here: it sees them, or none."""
    with _ONE_AT_A_TIME:
        hidden = (
            {} if are_seen else {name: os.environ[name] for name in os.environ if name.startswith(_MEANT)}
        )
        for name in hidden:
            del os.environ[name]
        try:
            yield
        finally:
            os.environ.update(hidden)
