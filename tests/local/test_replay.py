"""A step of a finished run, run again here with the very inputs that were pinned for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from local.desk import Desk, a_desk, dataset, pipeline, step
from towpath.backend import Kind
from towpath.errors import NotFoundError
from towpath.local.replay import outputs_of, replay
from towpath.local.running import follow_run

pytestmark = pytest.mark.story

JOIN = (
    "import os, sys\n"
    "os.makedirs(sys.argv[3])\n"
    "names = sorted(os.listdir(sys.argv[2]))\n"
    "text = open(sys.argv[1]).read() + ' ' + sys.argv[4] + ' ' + ','.join(names)\n"
    "print(text)\n"
    "open(sys.argv[3] + '/joined.txt', 'w').write(text)\n"
)


def test_a_step_is_given_what_it_was_given_although_the_data_changed_since(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    for number in range(10):
        desk.put(f"raw/{number}.txt", str(number).encode())
    make = step("make", "import sys; open(sys.argv[1], 'w').write('made')", "$(outputs.one.path)")
    make |= {"outputs": [{"name": "one"}]}
    join = step(
        "join", JOIN, "$(inputs.one.path)", "$(inputs.some.path)", "$(outputs.all.path)", "$(params.share)"
    )
    sample = [{"sample": {"percent": 50, "seed": 3, "exact": True}}]
    join |= {
        "inputs": [
            {"name": "one", "from": {"step": "make"}},
            {"name": "some", "dataset": {"name": "letters"}, "transforms": sample},
        ],
        "outputs": [{"name": "all"}],
    }
    params = [{"name": "share", "type": "number", "default": 80}]
    run = desk.run(
        dataset("letters", "raw/*.txt"), pipeline(make, join, params=params), params={"share": 7.5}
    )
    said = desk.said(run, "join")
    assert len(said[0].split(",")) == 5
    desk.put("raw/10.txt", b"of a later version")

    name = run["metadata"]["name"]
    with a_desk(tmp_path / "again") as again:
        for _ in range(2):
            begun = replay(desk.backend, name, "join", tmp_path / "again")
            ended = follow_run(begun.backend, begun.started.run, lambda _: None)
            assert ended["status"]["state"] == "Succeeded", ended["status"]
            assert again.said(ended, "join") == said
            (output,) = desk.step_of(run, "join")["outputs"]
            assert again.step_of(ended, "join")["outputs"][0]["digest"] == output["digest"]
            ((shown, place),) = outputs_of(begun.backend, ended)
            assert (shown, (place / "joined.txt").read_text()) == ("all", said[0])
            # The second time nothing is fetched.
            shutil.rmtree(desk.backend.places.store)
            desk.backend.places.store.mkdir()
    assert desk.backend.get(Kind.PIPELINE_RUN, name) == run


def test_a_run_or_step_that_is_not_there_is_named_beside_near_ones(desk: Desk, tmp_path: Path) -> None:
    run = desk.run(pipeline(step("make", "print('made')")))["metadata"]["name"]
    with pytest.raises(NotFoundError, match=run):
        replay(desk.backend, f"{run}x", "make", tmp_path / "again")
    with pytest.raises(NotFoundError, match="make"):
        replay(desk.backend, run, "mke", tmp_path / "again")


def test_rows_of_an_output_are_replayed_as_rows(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    write = "import sys; open(sys.argv[1], 'w').write('id,note\\n' + '1,a\\n' * 40)"
    make = step("make", write, "$(outputs.table.path)") | {"outputs": [{"name": "table"}]}
    read = step("read", "import sys; print(open(sys.argv[1]).read().split())", "$(inputs.part.path)")
    origin = {"step": "make", "format": {"csv": {}}}
    chain = [{"sample": {"percent": 50, "seed": 3, "exact": True}}, {"columns": {"keep": ["note"]}}]
    read |= {"inputs": [{"name": "part", "from": origin, "transforms": chain}]}
    run = desk.run(pipeline(make, read))
    assert desk.said(run, "read") == [str(["note", *["a"] * 20])]

    with a_desk(tmp_path / "again") as again:
        begun = replay(desk.backend, run["metadata"]["name"], "read", tmp_path / "again")
        ended = follow_run(begun.backend, begun.started.run, lambda _: None)
        assert again.said(ended, "read") == [str(["note", *["a"] * 20])]
