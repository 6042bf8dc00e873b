"""The files of a step's code → how they travel: a ConfigMap where they fit, else an archive in a datastore."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from towpath.code_folder import CodeFiles
from towpath.flow import names
from towpath.flow.code import ARCHIVE_KEY, pack_code

# An object has at most 1 MiB, base64 takes a third more; what is left is for its metadata.
MOST_IN_CONFIG_MAP = 900 << 10
_KEY = re.compile(r"(?!\.\.)[-._a-zA-Z0-9]{1,253}")


@dataclass(frozen=True)
class CodeSnapshot:
    """Code on its way: the ConfigMap to create, or the archive to upload."""

    digest: str
    config_map: dict[str, Any] | None
    archive: bytes | None

    @property
    def name(self) -> str:
        """The name of the ConfigMap."""
        return names.code_name(self.digest)

    def reference(self, namespace: str, datastore: str) -> dict[str, Any]:
        """Return the `code` of a step."""
        if self.config_map is not None:
            return {"configMapRef": {"name": self.name}}
        path = names.code_key(namespace, self.digest)
        return {"snapshot": {"datastore": datastore, "path": path, "digest": self.digest}}


def snapshot_of(code: CodeFiles) -> CodeSnapshot:
    """Return how these files travel."""
    texts = _as_texts(code.files)
    if texts is not None:
        return CodeSnapshot(code.digest, _config_map(code.digest, {"data": texts}), None)
    archive = pack_code(code.files)
    encoded = base64.b64encode(archive).decode()
    if len(encoded) > MOST_IN_CONFIG_MAP:
        return CodeSnapshot(code.digest, None, archive)
    return CodeSnapshot(code.digest, _config_map(code.digest, {"binaryData": {ARCHIVE_KEY: encoded}}), None)


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
