"""`towpath replay` and `towpath completion`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from builders import make_pipeline, make_step
from cli.command_line import towpath
from cli.memory import MemoryBackend
from towpath.local import open_backend


def test_a_step_of_a_local_run_is_replayed_in_a_workspace_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    outputs = [{"name": "out"}]
    write = make_step(
        "write", command=["sh", "-c", 'echo hello > "$0"', "$(outputs.out.path)"], outputs=outputs
    )
    inputs = [{"name": "out", "from": {"step": "write"}}]
    read = make_step(
        "read", command=["sh", "-c", 'cat "$0"; echo read it', "$(inputs.out.path)"], inputs=inputs
    )
    file = tmp_path / "pipeline.yaml"
    file.write_text(yaml.safe_dump(make_pipeline("mine", write, read)))
    backend = open_backend(tmp_path)
    name = towpath(backend, "run", str(file), "--folder", str(tmp_path)).out.strip()
    words = ("replay", name, "read", "--folder", str(tmp_path), "--into", str(tmp_path / "again"))
    called = towpath(backend, *words)
    assert (called.code, called.lines) == (0, [str(tmp_path / "again")]), called.err
    assert "read: Succeeded" in called.err
    assert towpath(backend, "replay", name, "raed", *words[3:]).code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell: str) -> None:
    called = towpath(MemoryBackend(), "completion", shell)
    assert called.code == 0
    assert "_TOWPATH_COMPLETE" in called.out
