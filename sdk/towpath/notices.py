"""Warnings for what is accepted as the article or Azure ML wrote it: each names the canonical form.

Standard library only: steps get it too.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

_HERE = str(Path(__file__).parent)


class CanonicalFormWarning(UserWarning):
    """What was written works, and would be written otherwise. `canonical` says how, `code` which defect it is."""

    def __init__(self, message: str, canonical: str, code: str | None = None) -> None:
        """Say what was met and what to write instead."""
        super().__init__(f"{message} Canonical form: {canonical}" + (f" ({code})" if code else ""))
        self.canonical = canonical
        self.code = code


def warn(message: str, canonical: str, code: str | None = None) -> None:
    """Warn at the user's own line."""
    warnings.warn(CanonicalFormWarning(message, canonical, code), stacklevel=_depth_of_user())


def _depth_of_user() -> int:
    """How many frames up the first one lies that is none of this package."""
    depth = 1
    frame = sys._getframe(1)  # the one way to count frames
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        depth += 1
        frame = frame.f_back
    return depth
