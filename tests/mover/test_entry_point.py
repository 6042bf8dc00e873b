"""`python -m towpath_mover`: what it says when it is called by people instead of the operator."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from towpath_mover import write_check
from towpath_mover.__main__ import main
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason


def called(*arguments: str, log: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {"TOWPATH_TERMINATION_LOG": str(log)} if log else {}
    command = [sys.executable, "-m", "towpath_mover", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_every_mover() -> None:
    said = called("--help")
    assert said.returncode == 0
    for name in ("stage-in", "publish", "probe", "take-inventory"):
        assert name in said.stdout


@pytest.mark.parametrize(
    ("arguments", "words"), [((), "name a mover"), (("stagein",), "there is no mover 'stagein'")]
)
def test_an_unknown_mover_is_a_usage_error(arguments: tuple[str, ...], words: str) -> None:
    said = called(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert words in said.stderr
    assert "take-inventory" in said.stderr


def test_a_mover_without_an_order_reports_it(tmp_path: Path) -> None:
    said = called("probe", log=tmp_path / "log")
    assert said.returncode == 1
    report = json.loads((tmp_path / "log").read_bytes())
    assert report["reason"] == "Bug"
    assert "TOWPATH_ORDER is not set" in report["message"]
    assert "Traceback" in said.stderr


def test_every_reason_has_an_exit_code_that_is_none_of_a_bug() -> None:
    assert {MoverFailure(reason, "").exit for reason in Reason} == set(Exit) - {Exit.OK}


class _Panic(BaseException):
    """As obstore raises what its Rust side did not expect: no Exception."""


def test_a_panic_of_the_stores_client_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(*_: object) -> None:
        raise _Panic("called `Result::unwrap()` on an `Err` value")

    monkeypatch.setattr("towpath_mover.probe.run", panic)
    kept = signal.getsignal(signal.SIGTERM)
    try:
        code = main(["probe"], {"TOWPATH_TERMINATION_LOG": str(tmp_path / "log")})
    finally:
        signal.signal(signal.SIGTERM, kept)
    assert code == 1
    assert json.loads((tmp_path / "log").read_text())["reason"] == "Bug"


def test_a_panic_in_the_write_check_is_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(*_: object) -> None:
        raise _Panic("called `Result::unwrap()` on an `Err` value")

    monkeypatch.setattr(write_check, "_places", lambda _: {("default", "write-check")})
    monkeypatch.setattr(write_check, "write_object", panic)
    checks = write_check.WriteChecks(Mock(outputs=()), Mock())
    with pytest.raises(_Panic):
        checks.wait()
