"""When the native node does not come up, it says which component is at fault, in that component's words."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from cluster.native.layout import Layout
from cluster.native.leftovers import find_leftovers
from cluster.native.namespaces import Process, running_node
from cluster.native.readiness import Stage, await_stages
from cluster.progress import ClusterError, run


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(state=tmp_path / "state", sockets=tmp_path / "run")
    made.logs.mkdir(parents=True)
    return made


def _pretend_running(layout: Layout) -> None:
    own = Process.of(os.getpid())
    assert own is not None
    layout.identity.write_text(json.dumps(asdict(own)))


def test_a_late_stage_shows_the_last_lines_of_who_is_at_fault(layout: Layout) -> None:
    _pretend_running(layout)
    (layout.logs / "kubelet.log").write_text("first\n" * 50 + "no space left on device\n")
    late = Stage("the node is Ready", lambda: False, ("kubelet", "containerd"))
    with pytest.raises(ClusterError) as error:
        await_stages(layout, [late], seconds=0.01)
    said = str(error.value)
    assert "not so that the node is Ready" in said
    assert "no space left on device" in said
    assert said.count("first") < 50
    assert "containerd.log\n(no log)" in said


def test_a_node_that_died_is_said_to_be_dead_at_once(layout: Layout) -> None:
    (layout.logs / "supervisor.log").write_text("cannot mount\n")
    with pytest.raises(ClusterError, match=r"has ended(.|\n)*cannot mount"):
        await_stages(layout, [Stage("anything", lambda: False, ())], seconds=60)


def test_stages_that_are_done_are_not_waited_for(layout: Layout) -> None:
    _pretend_running(layout)
    await_stages(layout, [Stage("anything", lambda: True, ())], seconds=0)


def test_a_process_with_a_reused_id_is_not_the_node(layout: Layout) -> None:
    layout.identity.write_text(json.dumps({"pid": os.getpid(), "started": "1"}))
    assert running_node(layout) is None


def test_folders_of_a_node_that_is_gone_are_found(layout: Layout) -> None:
    assert f"folder {layout.state}" in find_leftovers(layout)
    assert f"folder {layout.sockets}" not in find_leftovers(layout)


def test_a_command_that_fails_is_shown_with_what_it_said() -> None:
    with pytest.raises(ClusterError, match="`sh -c echo because >&2; exit 3` ended with 3:\nbecause"):
        run(["sh", "-c", "echo because >&2; exit 3"])


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(ClusterError, match="`no-such-program` is not installed"):
        run(["no-such-program"])
