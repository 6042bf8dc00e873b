"""The command line as a whole: help, unknown verbs, places, exit codes, and what it costs to start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_line import towpath
from cli.memory import MemoryBackend
from cli.scenes import namespace
from towpath import errors
from towpath.cli.failures import Exit, exit_code
from towpath.cli.printable import log_line, printable


def test_the_help_lists_every_verb_with_its_sentence() -> None:
    out = towpath(MemoryBackend(), "--help").out
    for verb in ("get", "describe", "logs", "cancel", "retry", "refresh"):
        assert f"\n  {verb} " in out


def test_an_unknown_verb_is_wrong_usage_and_near_ones_are_named() -> None:
    called = towpath(MemoryBackend(), "cancle", "x")
    assert (called.code, called.out) == (2, "")
    assert "There is no verb 'cancle'. Did you mean cancel" in called.err


@pytest.mark.parametrize(
    "args", [("get",), ("get", "runs", "--colour"), ("logs",), ("get", "runs", "-o", "xml")]
)
def test_wrong_usage_ends_with_two(args: tuple[str, ...]) -> None:
    assert towpath(namespace(), *args).code == 2


def test_the_place_is_taken_from_the_verbs_options() -> None:
    where = towpath(namespace(), "get", "runs", "-n", "team-b", "--context", "prod").where
    assert (where.namespace, where.context, where.folder) == ("team-b", "prod", None)
    assert towpath(namespace(), "get", "runs", "--local").where.folder == Path()
    assert towpath(namespace(), "get", "runs", "--folder", "/srv/x").where.folder == Path("/srv/x")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotFoundError("x"), Exit.USAGE),
        (errors.InvalidObjectError("x"), Exit.USAGE),
        (errors.ActivityFailedException("x"), Exit.FAILED),
        (errors.UnreachableError("x"), Exit.FAILED),
        (errors.WaitTimeoutError("x"), Exit.TIMED_OUT),
    ],
)
def test_exit_codes_say_what_kind_of_failure_it_was(error: errors.TowpathError, code: Exit) -> None:
    assert exit_code(error) is code


class Broken(MemoryBackend):
    """What cannot be reached."""

    def list_objects(self, kind: object, labels: object = None) -> list[dict[str, object]]:
        raise errors.UnreachableError("The API server does not answer:\nhttps://x\x1b[2J")


def test_a_failure_is_words_on_stderr_and_no_traceback() -> None:
    called = towpath(Broken(), "get", "runs")
    assert (called.code, called.out) == (1, "")
    assert called.err == "Error: The API server does not answer:\nhttps://x\\x1b[2J\n"


def test_an_interrupt_ends_as_a_shell_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MemoryBackend, "list_objects", interrupted)
    called = towpath(MemoryBackend(), "get", "runs")
    assert (called.code, called.err) == (130, "Interrupted.\n")


def test_the_help_loads_neither_a_kubernetes_client_nor_the_models() -> None:
    code = (
        "import sys, json, towpath.cli.app as a\n"
        "try: a.app(['--version'], prog_name='towpath')\n"
        "except SystemExit: pass\n"
        "print(json.dumps([m for m in ('kubernetes', 'pydantic', 'yaml', 'obstore', 'rich') if m in sys.modules]))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, loaded = ended.stdout.splitlines()
    assert version == "towpath 0.1.0"
    assert json.loads(loaded) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 😀", "plain é 😀"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp", "\\u202egnp"),
        ("\x9b2J", "\\x9b2J"),
        ("\ud800", "\\ud800"),
    ],
)
def test_texts_of_others_are_shown_and_do_nothing(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_log_line_keeps_its_tabs_and_where_wanted_its_colours() -> None:
    assert log_line("a\tb\x1b[1;31mc\x1b[2J", True) == "a\tb\x1b[1;31mc\\x1b[2J\x1b[0m"
    assert log_line("a\tb\x1b[1;31mc\x1b[2J", False) == "a\tbc\\x1b[2J"
