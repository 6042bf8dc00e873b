"""Each archive of the hostile corpus comes to its documented end; whatever the bytes, none comes to another."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mover.archive_files import opened, unpacked
from mover.hostile_archives import ARCHIVE_TYPES, Hostile, bomb, corpus, packed
from mover.inventories import an_object
from towpath_mover.archive_members import Bounds
from towpath_mover.archives import Archive
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root, Tally
from towpath_mover.inventory_reader import InventoryReader

CORPUS = corpus()
BOMBS = [type_ for type_ in ARCHIVE_TYPES if type_ != "Tar"]
LINE = '{"path":"a","size":1,"sha256":"' + "0" * 64 + '"}'
BOUNDS = Bounds(entries=1000, bytes=4 << 20)


@pytest.mark.parametrize("what", [what for what, one in CORPUS.items() if one.reason])
def test_it_is_refused_by_its_own_reason(what: str) -> None:
    check_refusal(CORPUS[what])


@pytest.mark.parametrize("type_", BOMBS)
def test_a_bomb_is_too_large(type_: str) -> None:
    check_refusal(bomb(type_))


def check_refusal(hostile: Hostile) -> None:
    with pytest.raises(MoverFailure) as raised:
        read_as_a_dataset(Archive(hostile.type), hostile.content)
    assert raised.value.reason is hostile.reason, raised.value.message
    assert raised.value.message.isprintable()


@pytest.mark.parametrize("what", [what for what, one in CORPUS.items() if not one.reason])
def test_it_comes_to_its_documented_result(what: str) -> None:
    hostile = CORPUS[what]
    assert tuple(sorted(unpacked(Archive(hostile.type), hostile.content))) == hostile.paths


def read_as_a_dataset(archive: Archive, content: bytes) -> None:
    """Reads every file of an archive, and counts them as the files of an inventory."""
    paths = []
    for file in opened(archive, content):
        paths.append(file.path)
        for _ in file.pieces():
            pass
    tally = Tally([Root("default", "")])
    for path in sorted(paths):
        tally.add(Entry(path, 0, sha256="0" * 64))


@cache
def seeds() -> list[tuple[str, bytes]]:
    """What is damaged: hostile and honest archives."""
    hostile = [*CORPUS.values(), *map(bomb, BOMBS)]
    honest = [(type_, packed(type_, [("a", b"1"), ("b/c", b"22" * 99)])) for type_ in ARCHIVE_TYPES]
    return [*((one.type, one.content) for one in hostile if len(one.content) < 20_000), *honest]


@st.composite
def damaged_archives(draw: st.DrawFn) -> tuple[str, bytes]:
    """An archive with some bytes changed, cut out or put in; or bytes of nothing."""
    type_, content = draw(st.sampled_from(seeds()))
    changed = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(changed)))
        length = draw(st.integers(0, 8))
        changed[place : place + length] = draw(st.binary(max_size=8))
    return type_, bytes(changed)


def read_archive(archive: tuple[str, bytes]) -> None:
    """Reads all of an archive."""
    unpacked(Archive(archive[0], bounds=BOUNDS), archive[1])


@st.composite
def damaged_inventories(draw: st.DrawFn) -> bytes:
    """An inventory with bytes changed in its text, or in the object."""
    text = bytearray("\n".join(draw(st.lists(st.just(LINE) | st.text(max_size=40), max_size=3))).encode())
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        text[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    content = bytearray(an_object([bytes(text)]))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(content)))
        content[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(content)


def read_inventory(content: bytes) -> None:
    """Reads all of an inventory."""
    for _ in InventoryReader([content]).entries():
        pass


@pytest.mark.parametrize(
    ("strategy", "read"), [(damaged_archives(), read_archive), (damaged_inventories(), read_inventory)]
)
def test_only_named_failures_come_of_damaged_bytes(
    strategy: st.SearchStrategy[object], read: Callable[[object], None]
) -> None:
    _fuzz(strategy, read, examples=300)


@pytest.mark.long
@pytest.mark.parametrize(
    ("strategy", "read"), [(damaged_archives(), read_archive), (damaged_inventories(), read_inventory)]
)
def test_only_named_failures_come_of_damaged_bytes_for_a_minute(
    strategy: st.SearchStrategy[object], read: Callable[[object], None]
) -> None:
    end = time.monotonic() + 65
    while time.monotonic() < end:
        _fuzz(strategy, read, examples=2000)


def _fuzz(strategy: st.SearchStrategy[object], read: Callable[[object], None], examples: int) -> None:
    @settings(deadline=None, max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def law(content: object) -> None:
        with suppress(MoverFailure):
            read(content)

    law()


def test_the_corpus_knows_every_reason_of_archives() -> None:
    own = {reason for reason in Reason if reason.name.startswith("ARCHIVE")}
    assert own <= {one.reason for one in CORPUS.values()} | {Reason.ARCHIVE_TOO_LARGE}
