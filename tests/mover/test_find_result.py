"""The result of an attempt whose pod is gone, found in a real S3 server by the attempt's number alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.space import Space
from mover.movers import give_keys, run_mover
from mover.pods import ATTEMPT_ID, Ended, Pod, datastore, output, write_files
from towpath.flow.documents import datastore_document

pytestmark = pytest.mark.server

FOLDER = "team-a/runs/iris-0123abcd/prep/"


def publish(space: Space, root: Path) -> Ended:
    pod = Pod(root, datastore(space), space.s3.admin, outputs=[output("model")])
    write_files(root / "outputs/model", [("a.txt", b"text")])
    return pod.publish()


def find(space: Space, root: Path, attempt: int = 1) -> Ended:
    place = datastore(space)
    give_keys(place, space.s3.admin, root)
    order = {"folder": FOLDER, "attempt": attempt, "datastores": [datastore_document(place)]}
    return run_mover("find-result", order, root)


def test_what_is_found_is_what_the_publisher_said(local_s3: Space, tmp_path: Path) -> None:
    said = publish(local_s3, tmp_path / "pod").report
    # What an attempt without a result left, and one of another number.
    local_s3.put(f"{FOLDER}1-another/model/data/a.txt", b"half")
    local_s3.put(f"{FOLDER}11-{ATTEMPT_ID}/result", b"{}")

    found = find(local_s3, tmp_path)

    assert found.code == 0, found.errors
    assert found.report == said


def test_an_attempt_without_a_result_or_with_two_is_said_so(local_s3: Space, tmp_path: Path) -> None:
    publish(local_s3, tmp_path / "pod")
    none = find(local_s3, tmp_path, attempt=2)
    local_s3.put(f"{FOLDER}1-another/result", b"{}")
    two = find(local_s3, tmp_path)

    assert [(one.code, one.report["reason"]) for one in (none, two)] == [(42, "OutputChanged")] * 2
    assert "Attempt 2 below" in none.report["message"]
    assert "has 0 results" in none.report["message"]
    assert "has 2 results" in two.report["message"]


def test_a_result_that_is_none_is_named(local_s3: Space, tmp_path: Path) -> None:
    local_s3.put(f"{FOLDER}1-x/result", b"[not json")

    found = find(local_s3, tmp_path)

    assert found.report["reason"] == "OutputChanged"
    assert f"{FOLDER}1-x/result" in found.report["message"]
