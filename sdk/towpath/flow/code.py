"""A step's code: its digest, which the plan holds and `stage-in` compares, and the parameters that it reads.

Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

_PARAM = re.compile(r"TOWPATH_PARAM_([A-Z0-9_]*)")
_CONTEXT = ("TOWPATH_CONTEXT", "get_context")


def code_digest(files: Mapping[str, bytes]) -> str:
    """The digest of code files by name.

    It is the SHA-256 of the canonical JSON (sorted keys, no spaces) of {file name: hex SHA-256 of its bytes}.
    """
    parts = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def params_read(texts: Iterable[str]) -> frozenset[str]:
    """The parameters that code reads from its environment, in capitals; an empty one stands for all of them.

    Only what is written out can be seen: a name that is put together, or the run's context, may be any.
    """
    found: set[str] = set()
    for text in texts:
        found |= set(_PARAM.findall(text))
        if any(word in text for word in _CONTEXT):
            found.add("")
    return frozenset(found)
