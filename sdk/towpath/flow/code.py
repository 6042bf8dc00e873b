"""The digest of a step's code: what the plan holds and `stage-in` compares. Standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def code_digest(files: Mapping[str, bytes]) -> str:
    """The digest of code files by name.

    It is the SHA-256 of the canonical JSON (sorted keys, no spaces) of {file name: hex SHA-256 of its bytes}.
    """
    parts = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
