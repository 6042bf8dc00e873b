"""Laws of packs: a layout is complete and disjoint whoever asks, and any part of the files is read as it was written.

The store is a volume: real files, and no server.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from mover.inventories import LAW
from mover.transfers import MiB, files_in, found_in
from mover.volumes import a_volume
from towpath_mover.download import download
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_writer import write_inventory
from towpath_mover.joined_ranges import GAP, MOST_GATHERED, MOST_JOINED, JoinedRange, joined
from towpath_mover.pack_upload import PACKING, Prefixes, upload_packed
from towpath_mover.packs import MOST_FILES, MOST_IN_FILE, MOST_IN_PACK, Pack, lay_out
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress
from towpath_mover.read_files import read_files
from towpath_mover.store_volume import VolumeStore
from towpath_mover.transfer import Limits
from towpath_mover.upload import LocalFile, upload

PREFIXES = Prefixes("out/data/", "out/packs/")


class Sized(NamedTuple):
    """A file of which nothing matters but its place in the order and its size."""

    number: int
    size: int


# Most are small; some fill a pack's rest to the byte, or are just too large for any.
SIZES = st.one_of(
    st.integers(0, 50_000),
    st.integers(0, 2 * MiB),
    st.sampled_from([0, 1, MOST_IN_FILE - 1, MOST_IN_FILE, MOST_IN_FILE + 1]),
)


def files_of(sizes: Iterable[int]) -> list[Sized]:
    return [Sized(number, size) for number, size in enumerate(sizes)]


def packs_of(files: list[Sized]) -> list[Pack[Sized]]:
    return [found for found in lay_out(files) if isinstance(found, Pack)]


@LAW
@given(st.lists(SIZES, max_size=40), st.integers(1, 8))
def test_every_file_is_laid_out_once_in_order_and_no_two_share_a_byte(sizes: list[int], times: int) -> None:
    files = files_of(sizes * times)
    found = list(lay_out(files))
    alone = [file for file in found if isinstance(file, Sized)]
    packs = [pack for pack in found if isinstance(pack, Pack)]
    assert sorted([*alone, *(file for pack in packs for file in pack.files)]) == files
    assert [file for pack in packs for file in pack.files] == sorted(
        file for pack in packs for file in pack.files
    )
    for pack in packs:
        ends = [offset + file.size for file, offset in pack.placed()]
        assert [offset for _, offset in pack.placed()] == [0, *ends[:-1]]
        assert ends[-1] == pack.size <= MOST_IN_PACK
        assert max(file.size for file in pack.files) <= MOST_IN_FILE
    assert [pack.name for pack in packs] == sorted(pack.name for pack in packs)
    small = [file for file in files if file.size <= MOST_IN_FILE]
    # Nothing but what is left at the end may be alone.
    assert [file for file in alone if file.size <= MOST_IN_FILE] in ([], small[-1:])


def test_packs_are_as_few_as_their_size_allows() -> None:
    files = files_of([20_000] * 10_000)
    packs = packs_of(files)
    assert [len(pack.files) for pack in packs] == [*[1677] * 5, 1615]


def test_files_of_no_bytes_do_not_make_one_endless_pack() -> None:
    assert [len(pack.files) for pack in packs_of(files_of([0] * 25_000))] == [MOST_FILES, MOST_FILES, 5000]


def test_what_would_be_alone_in_a_pack_is_an_object_of_its_own() -> None:
    assert list(lay_out(files_of([5]))) == [Sized(0, 5)]
    assert list(lay_out([])) == []


def packed_entry(number: int, size: int, pack: str, offset: int, root: int = 0) -> Entry:
    return Entry(f"{number:09}", size, "0" * 64, root=root, pack=pack, offset=offset)


def entries_in(sizes: Iterable[int], gaps: Iterable[int]) -> list[Entry]:
    """Files of two packs, with something between them."""
    entries, end = [], 0
    for number, (size, gap) in enumerate(zip(sizes, gaps, strict=False)):
        pack = "a" if number % 7 else "b"
        entries.append(packed_entry(number, size, pack, end + gap))
        end += gap + size
    return entries


@LAW
@given(
    st.lists(st.integers(0, MiB), max_size=60),
    st.lists(st.integers(0, 2 * GAP), min_size=60, max_size=60),
    st.lists(st.integers(0, 2), min_size=60, max_size=60),
)
def test_joined_ranges_hold_every_file_once_and_little_beside(
    sizes: list[int], gaps: list[int], roots: list[int]
) -> None:
    entries = [entry._replace(root=root) for entry, root in zip(entries_in(sizes, gaps), roots, strict=False)]
    ranges = [found for found in joined(entries) if isinstance(found, JoinedRange)]
    assert sorted(entry.path for found in ranges for entry in found.entries) == [e.path for e in entries]
    for found in ranges:
        assert {(entry.root, entry.pack) for entry in found.entries} == {(found.root, found.entries[0].pack)}
        assert found.end - found.start <= MOST_JOINED
        for one, following in zip(found.entries, found.entries[1:], strict=False):
            assert 0 <= (following.offset or 0) - (one.offset or 0) - one.size <= GAP


def test_a_whole_pack_is_a_few_ranges_and_a_thin_sample_none_of_the_rest() -> None:
    entries = [packed_entry(number, 20_000, "a", number * 20_000) for number in range(3355)]
    assert len(list(joined(entries[:1677]))) == 1
    assert len(list(joined(entries))) == 3
    sample = list(joined(entries[::100]))
    assert sum(found.end - found.start for found in sample if isinstance(found, JoinedRange)) == 34 * 20_000


def test_files_that_lie_over_or_before_one_another_are_not_joined() -> None:
    entries = [packed_entry(number, 10, "a", offset) for number, offset in enumerate((0, 9, 0, 10))]
    ranges = [found for found in joined(entries) if isinstance(found, JoinedRange)]
    assert [(found.start, found.end) for found in ranges] == [(0, 10), (9, 19), (0, 20)]


def test_packs_of_many_shards_in_turns_are_joined_in_bounded_memory() -> None:
    entries = (
        packed_entry(number, 10, "a", number // 100 * 10, root=number % 100) for number in range(50_000)
    )
    ranges = [found for found in joined(entries) if isinstance(found, JoinedRange)]
    assert sum(len(found.entries) for found in ranges) == 50_000
    assert len(ranges) == 100 * -(-50_000 // MOST_GATHERED)


@contextmanager
def volume(contents: dict[str, bytes]) -> Iterator[tuple[Path, VolumeStore, list[LocalFile]]]:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        yield root, a_volume(root), files_in(root / "source", contents)


def in_packs(files: list[LocalFile], store: VolumeStore, limits: Limits = PACKING) -> list[Entry]:
    ordered = sorted(files, key=lambda file: file.path)
    sent = upload_packed(ordered, store, PREFIXES, Progress("up"), limits)
    return sorted(sent, key=lambda entry: entry.path)


def digest_of(folder: Path, entries: Iterable[Entry]) -> str:
    roots = [Root("default", prefix) for prefix in PREFIXES]
    return write_inventory(folder / "inventory", roots, entries).summary.digest


CONTENTS = st.dictionaries(
    st.text("ab-/", min_size=1, max_size=6).map(lambda path: f"f{path.replace('/', '/d')}x"),
    st.integers(0, 2**32).flatmap(
        lambda seed: st.sampled_from([0, 1, 100, 70_000, 300_000, MiB + 1]).map(
            lambda size: random.Random(seed).randbytes(size)
        )
    ),
    max_size=8,
).filter(lambda files: not any(f"{path}/" in other for path in files for other in files))


@settings(LAW, max_examples=20)
@given(CONTENTS, st.data())
def test_any_part_of_the_files_is_read_as_it_was_written(
    contents: dict[str, bytes], data: st.DataObject
) -> None:
    with volume(contents) as (root, store, files):
        entries = in_packs(files, store)
        assert {entry.path: entry.sha256 for entry in entries} == {
            path: sha256(content).hexdigest() for path, content in contents.items()
        }
        for number, wanted in enumerate(
            [set(contents), data.draw(st.sets(st.sampled_from([*contents, ""])))]
        ):
            target = root / f"target-{number}"
            sources = [Source(store, prefix) for prefix in PREFIXES]
            download([entry for entry in entries if entry.path in wanted], sources, target, Progress("down"))
            assert found_in(target) == {path: contents[path] for path in wanted if path}


@settings(LAW, max_examples=20)
@given(CONTENTS)
def test_packed_and_plain_have_one_digest_however_many_are_sent_at_once(contents: dict[str, bytes]) -> None:
    with volume(contents) as (root, store, files):
        at_once, alone = in_packs(files, store), in_packs(files, store, Limits(in_flight=1))
        plain = upload(files, store, PREFIXES.files, Progress("up"))
        assert at_once == alone
        assert digest_of(root, at_once) == digest_of(root, plain)


def test_who_reads_files_one_after_another_gets_those_of_packs_too() -> None:
    contents = {"a": b"first", "b": b"", "c": random.Random(7).randbytes(MiB), "d": b"x" * (MiB + 1)}
    with volume(contents) as (_, store, files):
        sources = [Source(store, prefix) for prefix in PREFIXES]
        read = read_files(in_packs(files, store), sources, Progress("rows"))
        assert {entry.path: b"".join(map(bytes, pieces)) for entry, pieces in read} == contents


def test_a_file_that_is_opened_again_is_the_same_one(tmp_path: Path) -> None:
    # Of hard links each is a file of its own, read as often as it is listed.
    (file,) = files_in(tmp_path / "source", {"a": b"same"})
    os.link(tmp_path / "source/a", tmp_path / "source/b")
    other = file._replace(path="b", open=partial(os.open, tmp_path / "source/b", os.O_RDONLY))
    entries = in_packs([file, other], a_volume(tmp_path))
    assert [(entry.offset, entry.size) for entry in entries] == [(0, 4), (4, 4)]
