"""Metrics from a file that the step wrote: the last values of 32 names, and nothing that it can do harm with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath_mover.metrics import MAX_BYTES, read_metrics


def logged(tmp_path: Path, text: str) -> dict[str, float]:
    file = tmp_path / "metrics"
    file.write_text(text)
    return read_metrics(file)


def test_the_last_value_of_each_name_counts(tmp_path: Path) -> None:
    text = '{"name":"loss","value":1}\n{"name":"acc","value":0.5}\n{"name":"loss","value":0.25}\n'
    assert logged(tmp_path, text) == {"acc": 0.5, "loss": 0.25}


def test_of_more_than_32_names_the_last_logged_stay(tmp_path: Path) -> None:
    lines = [f'{{"name":"m{number}","value":{number}}}' for number in range(100)]
    assert logged(tmp_path, "\n".join(lines)) == {f"m{number}": number for number in range(68, 100)}


def test_what_is_no_metric_is_passed_over(tmp_path: Path) -> None:
    bad = ["", "nonsense", "[]", "3", '{"name":"x"}', '{"name":"x","value":"1"}', '{"name":1,"value":1}']
    bad += ['{"name":"nan","value":NaN}', '{"name":"inf","value":1e999}', '{"name":"b","value":true}']
    bad += ['{"name":"","value":1}', '{"name":"a\\nb","value":1}', '{"name":"' + "x" * 200 + '","value":1}']
    bad += ["[" * 100_000, '{"name":"big","value":' + "9" * 400 + "}"]
    assert logged(tmp_path, "\n".join([*bad, '{"name":"good","value":1}'])) == {"good": 1}


def test_no_file_is_no_metrics(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "none") == {}


def test_links_fifos_and_folders_are_no_metrics(tmp_path: Path) -> None:
    (tmp_path / "real").write_text('{"name":"x","value":1}\n')
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "fifo")
    assert read_metrics(tmp_path / "link") == {}
    assert read_metrics(tmp_path / "fifo") == {}
    assert read_metrics(tmp_path) == {}


def test_a_file_without_end_is_read_at_its_end_only(tmp_path: Path) -> None:
    file = tmp_path / "metrics"
    with file.open("wb") as opened:
        opened.write(b'{"name":"early","value":1}\n')
        opened.truncate(MAX_BYTES * 2)
        opened.seek(0, os.SEEK_END)
        opened.write(b'\n{"name":"late","value":2}\n')
    assert read_metrics(file) == {"late": 2}


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "metrics-of-any-bytes"
    file.write_bytes(content + b'\n{"name":"last","value":1}\n')
    assert read_metrics(file)["last"] == 1
