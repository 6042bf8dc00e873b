"""docs/reference/cli.md is what the verbs say, and every verb says enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.command_line import towpath
from cli.memory import MemoryBackend
from towpath.cli.app import VERBS, app
from towpath.cli.reference import PAGE, page

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_verbs_say() -> None:
    assert (ROOT / PAGE).read_text() == page(), "run `make generate`"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there_with_help_of_its_own(verb: str) -> None:
    found = app.get_command(click.Context(app), verb)
    assert found is not None
    assert found.short_help
    assert found.help
    assert all(one.help for one in found.params if isinstance(one, click.Option))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str) -> None:
    called = towpath(MemoryBackend(), "completion", shell)
    assert called.code == 0
    assert "_TOWPATH_COMPLETE" in called.out


def test_bash_completes_verbs_and_kinds() -> None:
    for words, expected in (("towpath ref", "refresh"), ("towpath get dat", "datasets")):
        command = [sys.executable, "-c", "from towpath.cli.app import main; main()"]
        environment = {
            "_TOWPATH_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
            "PATH": "/usr/bin:/bin",
        }
        ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert f"plain,{expected}" in ended.stdout, ended.stderr
