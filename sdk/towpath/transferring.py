"""Several files between this machine and a store at once, in bounded memory; the first that fails ends it, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from towpath.backend import Store, Stored
from towpath.meter import Meter, shown
from towpath.told import told
from towpath_mover.transfer import Limits, MiB, Work, run

Item = TypeVar("Item")

_LIMITS = Limits(in_flight=8, bytes_in_flight=64 * MiB)
_PIECE = 1 << 20


def transfer_all(
    items: Iterable[Item], transfer: Callable[[Item], None], meter: Meter, show_progress: bool | None
) -> None:
    """Transfer each item, telling how far it is."""
    show = shown(show_progress)
    with told():
        for _ in run(iter(items), Work(lambda _: 8 * MiB, transfer), _LIMITS, lambda: show(meter)):
            pass
    meter.is_over = True
    show(meter)


def differing(store: Store, stored: Stored, file: Path) -> bool:
    """Whether a file's bytes are others than an object's; they are compared as far as they are alike."""
    if not file.is_file() or file.stat().st_size != stored.size:
        return True
    with file.open("rb") as mine:
        return any(
            mine.read(len(piece)) != bytes(piece) for piece in store.read(stored.path, 0, None, stored.etag)
        )


def pieces_of(file: Path, meter: Meter) -> Iterable[bytes]:
    """Yield a file's bytes, counted."""
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            meter.add(0, len(piece))
            yield piece
