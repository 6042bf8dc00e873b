"""A mover's last words: always whole JSON of at most 4,096 bytes, and what does not fit goes in a fixed order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from towpath_mover import report

LIMIT = 4096


def published(outputs: int, metrics: int, length: int) -> dict[str, Any]:
    listed = [
        {
            "name": f"{number:02}".ljust(length, "o"),
            "inventory": {
                "datastore": "d" * length,
                "path": "p" * length * 4,
                "digest": "sha256:" + "0" * 64,
            },
            "files": 10**9,
            "bytes": 10**15,
            "scratchBytes": 10**15,
            "directory": True,
            "seconds": 12345.678,
        }
        for number in range(outputs)
    ]
    numbers = {f"metric-{number:02}".ljust(length, "m"): 0.123456789 for number in range(metrics)}
    return report.success({"attempt": "1-x", "outputs": listed, "metrics": numbers, "seconds": 1.0})


def test_what_fits_is_said_whole() -> None:
    words = published(outputs=3, metrics=3, length=10)
    assert json.loads(report.encode(words, LIMIT)) == words


def test_metrics_go_first_and_the_first_ones_stay() -> None:
    words = published(outputs=2, metrics=32, length=100)
    encoded = report.encode(words, LIMIT)
    said = json.loads(encoded)
    assert len(encoded) <= LIMIT
    assert said["outputs"] == words["outputs"]
    assert 0 < len(said["metrics"]) < 32
    assert list(said["metrics"]) == list(words["metrics"])[: len(said["metrics"])]
    assert said["leftOut"] == ["metrics"]


def test_sixteen_outputs_with_the_longest_names_keep_their_digests() -> None:
    encoded = report.encode(published(outputs=16, metrics=32, length=63), LIMIT)
    said = json.loads(encoded)
    assert len(encoded) <= LIMIT
    assert len(said["outputs"]) == 16
    for output in said["outputs"]:
        assert output["inventory"]["digest"].startswith("sha256:")
        assert output["files"] == 10**9
    assert said["leftOut"] == ["metrics", "seconds", "inventories", "scratchBytes"]


@given(st.text(alphabet=st.characters(), max_size=5000))
def test_any_message_of_failure_fits_and_can_be_read(message: str) -> None:
    encoded = report.encode(report.failure("Bug", message), LIMIT)
    assert len(encoded) <= LIMIT
    said = json.loads(encoded)["message"]
    assert said == message or (said.endswith("…") and message.startswith(said[:-1]))


def test_a_report_is_short_enough_for_a_pod_with_two_containers_of_a_mesh(tmp_path: Path) -> None:
    words = published(outputs=2, metrics=32, length=63)
    report.write(words, tmp_path / "termination-log")
    written = (tmp_path / "termination-log").read_bytes()
    assert len(written) <= 12 * 1024 // 5
    said = json.loads(written)
    assert said["outputs"] == words["outputs"]
    assert said["leftOut"] == ["metrics"]


def test_a_report_that_cannot_be_so_short_is_left_in_full(tmp_path: Path) -> None:
    report.write(published(outputs=16, metrics=32, length=63), tmp_path / "termination-log")
    written = (tmp_path / "termination-log").read_bytes()
    assert 12 * 1024 // 5 < len(written) <= LIMIT
    assert len(json.loads(written)["outputs"]) == 16


def test_a_report_is_left_where_the_kubelet_looks(tmp_path: Path) -> None:
    log = tmp_path / "termination-log"
    log.touch()
    report.write(report.failure("Bug", "it broke"), log)
    assert json.loads(log.read_bytes()) == {"formatVersion": 1, "reason": "Bug", "message": "it broke"}
