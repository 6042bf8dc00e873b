"""An inventory is hostile input: whatever its bytes are, it is read, or refused by name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mover.inventories import HEADER, LAW, a_line, an_object, zipped
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.inventory_reader import InventoryReader


def read(content: bytes) -> list[Entry]:
    return list(InventoryReader([content]).entries())


def refusal(content: bytes) -> MoverFailure:
    with pytest.raises(MoverFailure) as raised:
        read(content)
    return raised.value


def outcome(content: bytes) -> str:
    """What a user would read; anything but a MoverFailure rises."""
    try:
        return f"{len(read(content))} entries"
    except MoverFailure as failed:
        return failed.message


def refused_line(**fields: object) -> MoverFailure:
    return refusal(an_object([json.dumps(a_line(**fields))]))


def test_a_valid_line_is_read() -> None:
    assert read(an_object([json.dumps(a_line())])) == [Entry("a.csv", 1, "0" * 64)]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/etc/passwd", "absolute"),
        ("../x", "`..`"),
        ("a/../../x", "`..`"),
        ("..", "`..`"),
        ("a//b", "empty part"),
        ("a/", "empty part"),
        ("./a", "`.` part"),
        ("", "empty part"),
        ("a\x00b", "control character"),
        ("a\nb", "control character"),
        ("a\tb", "control character"),
        ("a\x7f", "control character"),
        ("a" * 256, "255 bytes"),
        ("é" * 128, "255 bytes"),
        ("a/" * 2048 + "a", "4095 bytes"),
    ],
)
def test_a_path_that_a_disk_or_store_cannot_hold_is_unsafe(path: str, words: str) -> None:
    failed = refused_line(path=path)
    assert failed.reason is Reason.UNSAFE_PATH
    assert words in failed.message
    assert failed.message.isprintable()


def test_half_a_surrogate_pair_is_not_a_name() -> None:
    line = '{"path":"a\\ud800","size":1,"sha256":"' + "0" * 64 + '"}'
    assert refusal(an_object([line])).reason is Reason.UNDECODABLE_NAME


@pytest.mark.parametrize(
    "fields",
    [
        {"size": -1},
        {"size": 2**63},
        {"size": 1.0},
        {"size": "1"},
        {"size": True},
        {"size": None},
        {"path": None},
        {"path": 7},
        {"sha256": None},
        {"sha256": "0" * 63},
        {"sha256": "A" * 64},
        {"sha256": "0" * 64 + "\n"},
        {"sha256": 0},
        {"etag": "e"},
        {"sha256": None, "etag": ""},
        {"sha256": None, "etag": "a\nb"},
        {"sha256": None, "etag": "e", "version": ""},
        {"version": "1"},
        {"executable": False},
        {"executable": 1},
        {"root": 2},
        {"root": -1},
        {"root": True},
        {"pack": "p"},
        {"offset": 0},
        {"pack": "p", "offset": -1},
        {"pack": "p", "offset": 2**63 - 1},
        {"pack": "p", "offset": "0"},
        {"pack": 1, "offset": 0},
        {"sha256": None, "etag": "e", "pack": "p", "offset": 0},
        {"colour": "red"},
    ],
)
def test_a_wrong_field_is_refused_with_its_line(fields: dict[str, object]) -> None:
    failed = refused_line(**fields)
    assert failed.reason is Reason.INVENTORY_INVALID
    assert "Line 2" in failed.message


def test_a_hostile_pack_is_unsafe() -> None:
    assert refused_line(pack="../secret", offset=0).reason is Reason.UNSAFE_PATH


def in_packs(*places: tuple[str, int, int, int]) -> bytes:
    """An inventory of files at (pack, offset, size, root)."""
    lines = [
        a_line(path=f"f{number}", size=size, pack=pack, offset=offset, root=root)
        for number, (pack, offset, size, root) in enumerate(places)
    ]
    return an_object([json.dumps(line) for line in lines])


@pytest.mark.parametrize(
    "places",
    [
        [("p", 0, 10, 0), ("p", 9, 10, 0)],
        [("p", 0, 10, 0), ("p", 0, 10, 0)],
        [("p", 10, 10, 0), ("p", 0, 10, 0)],
        [("p", 0, 2**62, 0), ("p", 2**62 - 1, 1, 0)],
        [("p", 0, 10, 0), ("q", 0, 10, 0), ("p", 10, 10, 0)],
        [("p", 0, 10, 0), ("p", 5, 10, 1), ("p", 5, 10, 0)],
    ],
)
def test_files_that_share_bytes_of_a_pack_are_refused_by_file_and_pack(
    places: list[tuple[str, int, int, int]],
) -> None:
    failed = refusal(in_packs(*places))
    assert failed.reason is Reason.INVENTORY_INVALID
    assert f"'f{len(places) - 1}'" in failed.message
    assert "the pack 'p'" in failed.message


def test_packs_of_several_roots_may_come_in_turns() -> None:
    places = [("p", 0, 10, 0), ("p", 0, 10, 1), ("p", 10, 0, 0), ("p", 10, 9, 0), ("q", 3, 1, 1)]
    assert len(read(in_packs(*places))) == 5


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "null",
        "{",
        '{"path":"a","path":"b","size":1}',
        '{"path":"a","size":NaN}',
        '{"path":"a","size":' + "9" * 5000 + "}",
        "[" * 50_000,
        b"\xff\xfe",
        json.dumps(a_line()) + " trailing",
        '{"path":"' + "a" * (64 << 10) + '"}',
    ],
)
def test_a_line_that_is_not_one_json_object_is_refused(line: str | bytes) -> None:
    assert refusal(an_object([line])).reason is Reason.INVENTORY_INVALID


@pytest.mark.parametrize(
    "header",
    [
        "{}",
        "[]",
        "not json",
        '{"format":"other","formatVersion":1,"roots":[]}',
        HEADER.replace('"roots":[', '"roots":[7,'),
        HEADER.replace('"/{a}/x"', '""'),
        HEADER.replace('"/{a}/x"', "null"),
        HEADER.replace('"/{a}/x"', '7,"more":"x"'),
        HEADER.replace("team/out/data/", "team/out/data"),
        HEADER.replace("team/out/data/", "../data/"),
        HEADER.replace("team/out/data/", "/"),
        HEADER.replace('"default"', '"De fault"'),
        HEADER.replace('"prefix":""', '"prefix":"","more":1'),
        HEADER.replace('"formatVersion"', '"more":1,"formatVersion"'),
        '{"format":"towpath-inventory","formatVersion":1,"roots":[]}',
        '{"format":"towpath-inventory","formatVersion":1,"roots":{}}',
    ],
)
def test_a_wrong_header_is_refused(header: str) -> None:
    assert refusal(an_object([], header)).reason in {Reason.INVENTORY_INVALID, Reason.UNSAFE_PATH}


@pytest.mark.parametrize("version", ["2", "0", '"1"', "true", "1.0", "null"])
def test_another_version_is_named(version: str) -> None:
    failed = refusal(an_object([], HEADER.replace('"formatVersion":1', f'"formatVersion":{version}')))
    assert failed.reason is Reason.INVENTORY_VERSION_UNKNOWN


def test_disorder_is_refused() -> None:
    lines = [json.dumps(a_line(path=path)) for path in ("b", "a")]
    assert refusal(an_object(lines)).reason is Reason.INVENTORY_UNSORTED


def test_the_order_is_that_of_utf8_bytes() -> None:
    lines = [json.dumps(a_line(path=path)) for path in ("z", "é", "\uffee", "\U0001f600")]
    assert [entry.path for entry in read(an_object(lines))] == ["z", "é", "\uffee", "\U0001f600"]


def test_a_path_that_stands_twice_is_refused() -> None:
    assert refusal(an_object([json.dumps(a_line())] * 2)).reason is Reason.DUPLICATE_PATH


def test_a_file_that_is_also_a_folder_is_refused() -> None:
    lines = [json.dumps(a_line(path=path)) for path in ("col", "col-2", "col/inner")]
    assert refusal(an_object(lines)).reason is Reason.FILE_AND_FOLDER


def test_a_cut_object_is_truncated() -> None:
    content = an_object([json.dumps(a_line())])
    for length in range(len(content)):
        assert refusal(content[:length]).reason is Reason.INVENTORY_TRUNCATED


def test_a_last_line_without_its_end_is_truncated() -> None:
    assert refusal(zipped(f"{HEADER}\n{json.dumps(a_line())}".encode())).reason is Reason.INVENTORY_TRUNCATED


@pytest.mark.parametrize("garbage", [b"x", b"\x00" * 9, an_object([])])
def test_what_follows_the_end_is_refused(garbage: bytes) -> None:
    assert refusal(an_object([]) + garbage).reason is Reason.INVENTORY_INVALID


def test_a_bomb_costs_neither_memory_nor_patience() -> None:
    bomb = zipped(HEADER.encode() + b"\n" + b"\x20" * (8 << 20))
    assert refusal(bomb).reason is Reason.INVENTORY_INVALID


@LAW
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(content: bytes) -> None:
    assert isinstance(refusal(content), MoverFailure)


@LAW
@given(st.binary(max_size=200))
def test_any_text_is_read_or_refused_by_name(text: bytes) -> None:
    assert outcome(zipped(HEADER.encode() + b"\n" + text)).isprintable()


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
_FIELDS = ["path", "size", "sha256", "etag", "version", "executable", "root", "pack", "offset", "other"]


@LAW
@given(st.dictionaries(st.sampled_from(_FIELDS), _VALUES))
def test_any_value_in_a_field_is_read_or_refused_by_name(fields: dict[str, object]) -> None:
    assert outcome(an_object([json.dumps(a_line(**fields))])).isprintable()
