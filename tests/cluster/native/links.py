"""Which network links there are, in the network namespace of whoever asks."""

from __future__ import annotations

from pathlib import Path


def has_link(name: str) -> bool:
    """Whether there is a link of this name; /proc is the asker's own, while /sys may be another's."""
    return any(line.split(":")[0].strip() == name for line in Path("/proc/net/dev").read_text().splitlines())
