"""`towpath diff`: files added, removed and changed, from two inventories that are read as streams."""

from __future__ import annotations

import gzip
import json
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from cli.command_line import towpath
from cli.memory import MemoryBackend, MemoryStore
from cli.scenes import namespace, output_entry, plan_of, run_object, step_entry
from towpath.backend import Kind
from towpath.cli.differ import Change, Changed, Tally, differences
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory import Tally as Digest
from towpath_mover.inventory_format import encode_entry, encode_header

ROOTS = (Root("default", "data/"), Root("lake", ""))


def entry(path: str, letter: str = "a", size: int = 3, executable: bool = False) -> Entry:
    return Entry(path, size, letter * 64, executable=executable)


def put(backend: MemoryBackend, version: int, *entries: Entry) -> None:
    """Put a version of iris and its inventory into the namespace."""
    tally = Digest(ROOTS)
    for one in entries:
        tally.add(one)
    digest = tally.summary().digest
    path = f"team-a/inventories/{version}.jsonl.gz"
    text = encode_header(ROOTS) + b"".join(map(encode_entry, entries))
    backend.stores.setdefault("default", MemoryStore()).objects[path] = gzip.compress(text)
    reference = builders.make_inventory_ref(path=path, digest=digest)
    backend.hold(builders.make_version("iris", version, inventory=reference))


def compared(*pair: tuple[Entry, ...]) -> MemoryBackend:
    backend = namespace()
    for version, entries in enumerate(pair, start=1):
        put(backend, version, *entries)
    return backend


OLD = (entry("a"), entry("b"), entry("d/x"), entry("é"))
NEW = (entry("b", "b", 5), entry("c"), entry("d/x"), entry("é"))


def test_files_added_removed_and_changed_are_listed_by_path() -> None:
    called = towpath(compared(OLD, NEW), "diff", "iris@1", "iris@2")
    assert called.code == 0
    assert called.lines == ["- a  3 B", "~ b  3 B -> 5 B", "+ c  3 B"]
    assert called.err == "iris@1 -> iris@2: 1 added, 1 removed, 1 changed, 2 the same\n"


def test_an_executable_bit_is_a_change() -> None:
    backend = compared((entry("a"),), (entry("a", executable=True),))
    assert towpath(backend, "diff", "iris@1", "iris").lines == ["~ a  3 B -> 3 B"]


def test_reported_content_of_another_store_is_not_the_same() -> None:
    here = Entry("a", 3, None, "tag")
    backend = compared((here,), (here._replace(root=1),))
    assert towpath(backend, "diff", "iris@1", "iris@2").lines == ["~ a  3 B -> 3 B"]


def test_equal_content_needs_no_store() -> None:
    backend = compared(OLD, OLD)
    backend.stores.clear()
    called = towpath(backend, "diff", "iris@1", "iris@2", "--exit-code")
    assert (called.code, called.out) == (0, "")
    assert "iris@1 and iris@2 have the same content (sha256:" in called.err


def test_exit_code_says_whether_anything_differs() -> None:
    assert towpath(compared(OLD, NEW), "diff", "iris@1", "iris@2", "--exit-code").code == 1


def test_json_is_one_object_per_file() -> None:
    lines = towpath(compared(OLD, NEW), "diff", "dataset:iris@1", "iris@2", "-o", "json").lines
    assert [json.loads(line) for line in lines][1] == {
        "change": "changed",
        "path": "b",
        "before": 3,
        "after": 5,
    }


def test_an_output_of_a_run_is_compared_like_a_version() -> None:
    backend = compared(OLD, NEW)
    plan = plan_of("iris-2")
    reference = backend.objects[Kind.DATASET_VERSION, "iris-v2"]["spec"]["inventory"]
    output = output_entry("clean", "prep", "iris-2", inventory=reference["path"], digest=reference["digest"])
    backend.hold(run_object(plan, step_entry("prep", 0, 1, output)))
    for name in ("run:iris-2/prep/clean", "run:iris-2/prep"):
        called = towpath(backend, "diff", "iris@1", name)
        assert called.lines[1] == "~ b  3 B -> 5 B"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("irsi", "There is no dataset irsi"),
        ("iris@7", "There is no version 7 of iris in namespace team-a of cluster test. Did you mean iris@"),
        ("iris@x", "'x' is no number of a version"),
        ("run:iris-1/prep/cleen", "has published no output cleen. Did you mean clean?"),
        ("run:iris-1/perp/clean", "has no step perp. Did you mean prep?"),
        ("s3:x", "names no finished data"),
    ],
)
def test_what_is_not_there_is_named_with_near_ones(name: str, words: str) -> None:
    called = towpath(compared(OLD, NEW), "diff", "iris@1", name)
    assert called.code == 2
    assert words in called.err


def test_an_inventory_that_was_replaced_is_never_compared_as_if_it_were_the_right_one() -> None:
    backend = compared(OLD, NEW)
    store = backend.stores["default"].objects
    store["team-a/inventories/2.jsonl.gz"] = store["team-a/inventories/1.jsonl.gz"]
    called = towpath(backend, "diff", "iris@1", "iris@2")
    assert called.code == 1
    assert "The inventory of iris@2 cannot be used" in called.err


def test_a_hostile_path_cannot_control_the_terminal() -> None:
    lines = towpath(compared((), (entry("\x9b2J\u202ex"),)), "diff", "iris@1", "iris@2").lines
    assert lines == ["+ \\x9b2J\\u202ex  3 B"]


PATHS = st.dictionaries(st.text("abc/é", min_size=1, max_size=3), st.sampled_from("ab"), max_size=8)


@given(PATHS, PATHS)
def test_the_differences_are_those_of_two_maps(old: dict[str, str], new: dict[str, str]) -> None:
    tally = Tally()
    sides = [[entry(path, side[path]) for path in sorted(side)] for side in (old, new)]
    found = {one.path: one.change for one in differences(sides[0], sides[1], tally)}
    assert found == (
        dict.fromkeys(old.keys() - new.keys(), Change.REMOVED)
        | dict.fromkeys(new.keys() - old.keys(), Change.ADDED)
        | {path: Change.CHANGED for path in old.keys() & new.keys() if old[path] != new[path]}
    )
    assert tally.same == sum(old.get(path) == letter for path, letter in new.items())


def test_nothing_is_held_that_was_compared_already() -> None:
    endless = (entry(f"{number:012}") for number in range(10**12))
    found = differences(iter(()), endless, Tally())
    assert list(islice(found, 2)) == [
        Changed(Change.ADDED, "000000000000", None, 3),
        Changed(Change.ADDED, "000000000001", None, 3),
    ]
