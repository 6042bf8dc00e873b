"""Whatever bytes are called rows, what comes of them is a view, columns, or a named failure; and nothing in between."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow import subset_records
from mover.row_files import a_row_view, an_entry, delivered, without_groups
from towpath.api.sources import Encoding, Header
from towpath_mover.failures import MoverFailure
from towpath_mover.opened_file import OpenedFile
from towpath_mover.row_formats import open_format

TEXTS = [
    '"',
    '""',
    ",",
    "\n",
    "\r",
    "\r\n",
    "a",
    "é",
    "\ufeff",
    "{}",
    '{"a": 1}',
    "[",
    "1e999",
    "NaN",
    "\0",
    "\x1c",
]
DOCUMENTS = st.one_of(
    st.just({"jsonLines": {}}),
    st.builds(
        lambda header, encoding, separator: {
            "csv": {"header": header.value, "encoding": encoding.value, "separator": separator}
        },
        st.sampled_from(Header),
        st.sampled_from(Encoding),
        st.sampled_from([",", "é", "\0", " ", "\\", "\x85", "a"]),
    ),
)


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """A file with bytes changed in what may be rows."""
    codec = draw(st.sampled_from(["utf-8", "utf-16", "utf-32-be", "cp1252"]))
    text = "".join(draw(st.lists(st.sampled_from(TEXTS) | st.text(max_size=9), max_size=30)))
    content = bytearray(text.encode(codec, "replace"))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(content)))
        content[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(content)


FILES = st.dictionaries(st.sampled_from(["a", "b", "c"]), contents(), min_size=1)
CHAINS = subset_records.chains.map(without_groups)


def view(files: dict[str, bytes], document: dict[str, Any], chain: list[dict[str, Any]], piece: int) -> None:
    """Delivers a view: then its files are no larger than what they are made of."""
    with tempfile.TemporaryDirectory() as folder:
        counts, found = delivered(a_row_view(chain, files, document, piece), Path(folder) / "view")
    assert counts.bytes == sum(map(len, found.values()))
    # A header may be moved into another file, and end there.
    assert counts.bytes <= sum(map(len, files.values())) + 8


def columns(files: dict[str, bytes], document: dict[str, Any]) -> None:
    """Takes the columns."""
    format_ = open_format(document)
    entries = [an_entry(path, content) for path, content in sorted(files.items())]
    format_.columns((OpenedFile(one, (), format_.open(one, [files[one.path]])) for one in entries), 5)


def _fuzz(examples: int) -> None:
    @settings(deadline=None, max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @given(FILES, DOCUMENTS, CHAINS, st.integers(1, 40))
    def law(
        files: dict[str, bytes], document: dict[str, Any], chain: list[dict[str, Any]], piece: int
    ) -> None:
        with suppress(MoverFailure):
            view(files, document, chain, piece)
        with suppress(MoverFailure):
            columns(files, document)

    law()


def test_only_named_failures_come_of_hostile_rows() -> None:
    _fuzz(100)


@pytest.mark.long
def test_only_named_failures_come_of_hostile_rows_for_a_minute() -> None:
    end = time.monotonic() + 65
    while time.monotonic() < end:
        _fuzz(500)
