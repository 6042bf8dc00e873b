"""Whatever a Parquet file does to the library that reads it: a view comes of it, or a failure that names the file."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow.subset_records import sample
from mover.parquet_files import a_parquet_view, every_type, numbered, parquet
from mover.test_parquet_view import delivered, refused
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.parquet_process import ParquetProcess
from towpath_mover.transfer import MiB


@cache
def good() -> bytes:
    """A sound file with a column of every type."""
    return parquet(every_type(20), row_group_size=7, compression="none")


def test_files_that_are_not_parquet_are_named(tmp_path: Path) -> None:
    good = numbered(100)
    end = good[-8 - int.from_bytes(good[-8:-4], "little") :]
    words = {
        b"": "file size is 0 bytes",
        b"id,name\n1,x\n": "magic bytes not found in footer",
        good[:-100]: "magic bytes not found in footer",
        good[:-4] + b"PARE": "encrypted",
        good[:-8] + b"\xff\xff\xff\x7fPAR1": "footer",
        b"PAR1" + end: "corrupt",
    }
    for content, said in words.items():
        failed = refused([sample(99)], {"b": good, "dir/a": content}, tmp_path)
        assert failed.reason is Reason.BAD_ROW, failed.message
        assert failed.message.startswith("'dir/a' cannot be read as Parquet: ")
        assert said in failed.message


def test_a_column_that_would_become_another_kind_of_column_is_refused(tmp_path: Path) -> None:
    good = numbered(100, store_schema=False)
    text, enum = b"\x25\x00\x4c\x1c\x00\x00", b"\x25\x08\x4c\x4c\x00\x00"
    assert good.count(text) == 1

    failed = refused([sample(99)], {"a": good.replace(text, enum)}, tmp_path)

    assert failed.reason is Reason.BAD_ROW
    assert "its column name would become another kind of column: ('BYTE_ARRAY', 'ENUM')" in failed.message


def test_what_does_not_fit_into_memory_is_told_by_name_and_the_next_file_is_read(tmp_path: Path) -> None:
    large = pa.table({"text": ["x" * 64 * MiB]})
    files = {"large": parquet(large, compression="zstd", write_statistics=False), "small": numbered(3)}
    paths = {}
    for name, content in files.items():
        paths[name] = tmp_path / name
        paths[name].write_bytes(content)
    (tmp_path / "scratch").mkdir()
    process = ParquetProcess(tmp_path / "scratch", memory=90 * MiB)
    try:
        with pytest.raises(MoverFailure) as failed:
            process.copy(Entry("large", len(files["large"])), paths["large"], b"\1", tmp_path / "out", None)
        assert process.footer(Entry("small", 1), paths["small"]).rows == 3
    finally:
        process.close()
    assert failed.value.reason is Reason.ROWS_TOO_LARGE
    assert failed.value.message.startswith("'large' cannot be read within 90 MiB: ")
    assert "mover.resources.limits.memory" in failed.value.message


def test_a_process_that_ends_without_an_answer_is_a_failure_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    process = ParquetProcess(tmp_path)
    with pytest.raises(MoverFailure) as failed:
        process.footer(Entry("a", len(good())), tmp_path / "a")
    assert (failed.value.reason, failed.value.message[:18]) == (Reason.ROWS_TOO_LARGE, "'a' cannot be read")


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """A file of every type with bytes changed, most of them in the footer, which says where everything lies."""
    content = bytearray(good())
    footer = int.from_bytes(content[-8:-4], "little") + 8
    for _ in range(draw(st.integers(1, 5))):
        reach = draw(st.sampled_from([footer, footer, len(content)]))
        place = len(content) - draw(st.integers(1, min(reach, len(content))))
        content[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(content)


def _fuzz(examples: int) -> None:
    @settings(deadline=None, max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @given(contents())
    def law(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder, suppress(MoverFailure):
            delivered(a_parquet_view([sample(50)], {"a": content}, Path(folder)), Path(folder))

    law()


def test_only_named_failures_come_of_hostile_parquet() -> None:
    _fuzz(5)


@pytest.mark.long
def test_only_named_failures_come_of_hostile_parquet_for_a_minute() -> None:
    end = time.monotonic() + 65
    while time.monotonic() < end:
        _fuzz(50)


def test_the_process_that_reads_parquet_does_not_load_numpy_where_it_happens_to_be() -> None:
    said = "import sys, towpath_mover.parquet_child; print(sys.modules['numpy'], 'pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "True"]
