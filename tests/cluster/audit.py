"""Who wrote what to the API server, by its audit log: each create, update, patch and delete, once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Write:
    """One request that changed something, or tried to."""

    user: str
    verb: str
    # The plural name, with the subresource if it is one: `jobs`, `pods/status`.
    resource: str
    namespace: str
    name: str
    code: int


@dataclass(frozen=True)
class AuditLog:
    """The log from a point on."""

    path: Path
    offset: int = 0

    def from_now(self) -> AuditLog:
        """The same log without what is in it already."""
        return AuditLog(self.path, self.path.stat().st_size)

    def writes(self, user: str) -> list[Write]:
        """What this user wrote since, in order."""
        with self.path.open("rb") as log:
            log.seek(self.offset)
            lines = log.read().splitlines(keepends=True)
        # The last line may be half written.
        found = [_parse(line) for line in lines if line.endswith(b"\n")]
        return [write for write in found if write.user == user]


def _parse(line: bytes) -> Write:
    event = json.loads(line)
    about = event.get("objectRef", {})
    parts = [about.get("resource", ""), about.get("subresource", "")]
    return Write(
        user=event["user"]["username"],
        verb=event["verb"],
        resource="/".join(part for part in parts if part),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
    )
