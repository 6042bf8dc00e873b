"""The audit log as it is read: who wrote what, from a point on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.audit import AuditLog, Write


def _line(user: str, name: str, **about: str) -> str:
    event = {
        "user": {"username": user},
        "verb": "patch",
        "objectRef": {"resource": "pods", "namespace": "n", "name": name, **about},
        "responseStatus": {"code": 200},
    }
    return json.dumps(event) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    path = tmp_path / "audit.log"
    path.write_text(_line("admin", "one") + _line("subject", "two", subresource="status"))
    return AuditLog(path)


def test_writes_are_told_apart_by_user(log: AuditLog) -> None:
    assert log.writes("subject") == [Write("subject", "patch", "pods/status", "n", "two", 200)]


def test_only_what_came_after_is_read(log: AuditLog) -> None:
    later = log.from_now()
    with log.path.open("a") as more:
        more.write(_line("subject", "three"))
    assert [write.name for write in later.writes("subject")] == ["three"]
    assert [write.name for write in log.writes("subject")] == ["two", "three"]


def test_a_line_that_is_still_being_written_is_left_for_later(log: AuditLog) -> None:
    with log.path.open("a") as more:
        more.write(_line("subject", "three").rstrip("\n")[:-5])
    assert [write.name for write in log.writes("subject")] == ["two"]
