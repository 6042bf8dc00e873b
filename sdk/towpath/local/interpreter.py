"""What stands for an image where a step names none: this interpreter and the distributions that it can import."""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib.metadata import distributions


def interpreter_image() -> str:
    """A reference like that of an image: it changes when another version of anything is installed."""
    installed = sorted({f"{one.name}=={one.version}" for one in distributions()})
    words = [platform.python_implementation(), platform.python_version(), sys.platform, platform.machine()]
    digest = hashlib.sha256("\n".join([*words, *installed]).encode()).hexdigest()
    return f"local/python@sha256:{digest}"
