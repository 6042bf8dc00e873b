"""The files of a step's code → the ConfigMap in which they travel, named by their digest."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from towpath.code_folder import CodeFiles
from towpath.errors import DefinitionError
from towpath.flow import names
from towpath.flow.code import ARCHIVE_KEY, MOST_BYTES, pack_code
from towpath.ignore import IGNORE_FILES

# An object has at most 1 MiB, base64 takes a third more; what is left is for its metadata.
MOST_IN_CONFIG_MAP = 900 << 10
_KEY = re.compile(r"(?!\.\.)[-._a-zA-Z0-9]{1,253}")


@dataclass(frozen=True)
class CodeSnapshot:
    """Code on its way: the ConfigMap to create."""

    digest: str
    config_map: dict[str, Any]

    def reference(self) -> dict[str, Any]:
        """Return the `code` of a step."""
        return {"configMapRef": {"name": names.code_name(self.digest)}}


def snapshot_of(code: CodeFiles) -> CodeSnapshot:
    """Return how these files travel; DefinitionError says with numbers what is too much."""
    texts = _as_texts(code.files)
    if texts is not None:
        return CodeSnapshot(code.digest, _config_map(code.digest, {"data": texts}))
    encoded = base64.b64encode(pack_code(code.files)).decode()
    if len(encoded) > MOST_IN_CONFIG_MAP or sum(map(len, code.files.values())) > MOST_BYTES:
        raise _too_large(code, len(encoded))
    return CodeSnapshot(code.digest, _config_map(code.digest, {"binaryData": {ARCHIVE_KEY: encoded}}))


def _too_large(code: CodeFiles, encoded: int) -> DefinitionError:
    largest = sorted(code.files, key=lambda path: -len(code.files[path]))[:3]
    shown = ", ".join(f"{path} ({len(code.files[path]) / 1024:,.0f} KiB)" for path in largest)
    return DefinitionError(
        f"The code of {code.folder} takes {encoded / 1024:,.0f} KiB when it is packed, and a ConfigMap holds "
        f"{MOST_IN_CONFIG_MAP >> 10} KiB (unpacked {MOST_BYTES >> 20} MiB). Largest: {shown}. Hand over data as a "
        f"dataset, list it in {IGNORE_FILES[0]}, or build it into the image."
    )


def _as_texts(files: dict[str, bytes]) -> dict[str, str] | None:
    """The files as they are, where a ConfigMap can hold them so that people can read them; else None."""
    if not all(_KEY.fullmatch(path) for path in files) or ARCHIVE_KEY in files:
        return None
    try:
        texts = {path: data.decode() for path, data in files.items()}
    except UnicodeDecodeError:
        return None
    return texts if sum(len(data) for data in files.values()) <= MOST_IN_CONFIG_MAP // 2 else None


def _config_map(digest: str, content: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": names.code_name(digest), "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "immutable": True, **content}
