"""A published output, copied to a place of its user's choice: whole or not there, and never over what somebody else put
there. Movers as processes against a real S3 server."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from mover.breaking_proxy import Break, Request, breaking_proxy
from mover.forked import Forked, forked_movers
from mover.movers import environment
from mover.pods import RUN, Ended, Pod, datastore, output, write_files
from mover.transfers import MiB, a_store
from towpath.flow.documents import datastore_document
from towpath.flow.planned import PlannedExport
from towpath_mover.objects import open_inventory

pytestmark = pytest.mark.server

FOLDER = f"results/{RUN.name}/model"
FILES = [("weights", os.urandom(9 * MiB)), ("deep/run.sh", b"#!/bin/sh\n"), ("empty", b"")]
OURS = {"namespace": "team-a", "run": RUN.name, "runUID": RUN.uid, "step": "prep", "output": "model"}


@pytest.fixture(scope="module")
def movers() -> Iterator[Forked]:
    with forked_movers() as movers:
        yield movers


class Exporting:
    """An output that was published, and the mover that copies it."""

    def __init__(
        self, space: Space, root: Path, movers: Forked, files: list[tuple[str, bytes]], **declared: Any
    ) -> None:
        self.space, self.root, self.movers = space, root, movers
        pod = Pod(root / "pod", datastore(space), space.s3.admin, outputs=[output("model", **declared)])
        write_files(pod.root / "outputs/model", files)
        (pod.root / "outputs/model" / files[-1][0]).chmod(0o755)
        published = movers.publish(pod)
        assert published.code == 0, published.errors
        [self.published] = published.report["outputs"]

    def run(self, **changes: Any) -> Ended:
        """One mover to its end; `changes` are of who exports, and `endpoint` where the store is."""
        place = datastore(self.space, **({"endpoint": changes["endpoint"]} if "endpoint" in changes else {}))
        content = {key: self.published[key] for key in ("inventory", "files", "bytes")}
        order = {
            "run": {"name": RUN.name, "uid": RUN.uid} | changes.get("run", {}),
            "step": "prep",
            "output": "model",
            "content": content,
            "export": {"datastore": "default", "path": FOLDER},
            "datastores": [datastore_document(place)],
        }
        root = self.root / "export"
        environ = environment(order, root)
        folder = root / "credentials/default"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "AWS_ACCESS_KEY_ID").write_text(self.space.s3.admin.access_key)
        (folder / "AWS_SECRET_ACCESS_KEY").write_text(self.space.s3.admin.secret_key)
        return self.movers.run(["export"], environ, root, changes.get("has_begun", lambda _: None))

    def copied(self) -> dict[str, bytes]:
        """The files of the copy, as its inventory tells of them; its digest is that of what was published."""
        store = a_store(self.space, self.root)
        key = f"{FOLDER}/inventory.jsonl.gz"
        entries = open_inventory(store, key, self.published["inventory"]["digest"], self.root).entries()
        return {entry.path: self.space.get(f"{FOLDER}/data/{entry.path}") for entry in entries}


@pytest.fixture
def exporting(local_s3: Space, tmp_path: Path, movers: Forked) -> Exporting:
    return Exporting(local_s3, tmp_path, movers, FILES)


def test_a_copy_is_the_output_byte_for_byte_in_the_same_layout_under_its_claim(exporting: Exporting) -> None:
    exported = exporting.run()
    assert exported.code == 0, exported.errors
    assert exported.report["digest"] == exporting.published["inventory"]["digest"]
    assert (exported.report["files"], exported.report["bytes"]) == (3, 9 * MiB + 10)
    assert exporting.copied() == dict(FILES)
    below = {key.removeprefix(f"{FOLDER}/") for key in exporting.space.keys(FOLDER)}
    assert below == {"claim.json", "inventory.jsonl.gz", *(f"data/{name}" for name, _ in FILES)}
    assert json.loads(exporting.space.get(f"{FOLDER}/claim.json")) == {"formatVersion": 1} | OURS


def test_files_that_share_objects_are_exported_as_plain_files(
    local_s3: Space, tmp_path: Path, movers: Forked
) -> None:
    exporting = Exporting(local_s3, tmp_path, movers, [("a", b"1"), ("b", b"2"), ("e", b"")], packed=True)
    published = exporting.published["inventory"]["path"].rpartition("/")[0]
    assert f"{published}/data/a" not in local_s3.keys(published)
    assert exporting.run().code == 0
    assert exporting.copied() == {"a": b"1", "b": b"2", "e": b""}


def test_a_copy_that_is_whole_is_not_made_again(exporting: Exporting) -> None:
    exporting.run()
    with breaking_proxy(exporting.space.s3.endpoint) as proxy:
        assert exporting.run(endpoint=proxy.endpoint).code == 0
        assert {request.method for request in proxy.requests} == {"GET"}


def test_a_run_that_takes_up_another_goes_on_with_its_claim_and_that_one_loses_it(
    exporting: Exporting,
) -> None:
    earlier = json.dumps({"formatVersion": 1} | OURS)
    exporting.space.put(f"{FOLDER}/claim.json", earlier.encode())
    exporting.space.put(f"{FOLDER}/data/weights", b"half")
    stranger = exporting.run(run={"uid": "new", "retried": "another"})
    assert (stranger.code, stranger.report["reason"]) == (41, "ExportTaken")
    exported = exporting.run(run={"name": "again", "uid": "new", "retried": RUN.uid})
    assert exported.code == 0, exported.errors
    assert exporting.copied() == dict(FILES)
    assert json.loads(exporting.space.get(f"{FOLDER}/claim.json"))["runUID"] == "new"
    assert exporting.run().report["reason"] == "ExportTaken"
    assert exporting.run(run={"name": "twin", "uid": "twin", "retried": RUN.uid}).code == 41


TAKEN = {
    "the claim of another run": ("claim.json", json.dumps({"formatVersion": 1} | OURS | {"runUID": "x"})),
    "the claim of another output": ("claim.json", json.dumps({"formatVersion": 1} | OURS | {"output": "b"})),
    "a claim that cannot be read": ("claim.json", "{"),
    "files of somebody": ("data/weights", "mine"),
    "a file beside": ("README", "mine"),
}


@pytest.mark.fault
@pytest.mark.parametrize("case", TAKEN)
def test_what_somebody_else_put_there_is_never_written_over_and_stops_the_step_before_it_starts(
    local_s3: Space, tmp_path: Path, movers: Forked, case: str
) -> None:
    name, content = TAKEN[case]
    exporting = Exporting(local_s3, tmp_path, movers, [("a", b"1")])
    local_s3.put(f"{FOLDER}/{name}", content.encode())
    exported = exporting.run()
    assert (exported.code, exported.report["reason"]) == (41, "ExportTaken")
    declared = output("model", export=PlannedExport("default", FOLDER))
    staged = Pod(tmp_path / "next", datastore(local_s3), local_s3.s3.admin, outputs=[declared]).stage_in()
    assert (staged.code, staged.report["reason"]) == (41, "ExportTaken")
    assert "'model'" in staged.report["message"]
    assert "{run-id}" in staged.report["message"]
    assert local_s3.keys(FOLDER) == [f"{FOLDER}/{name}"]
    assert local_s3.get(f"{FOLDER}/{name}") == content.encode()


def test_a_free_place_and_its_own_claim_let_a_step_start_and_are_left_as_they_were(
    local_s3: Space, tmp_path: Path
) -> None:
    declared = output("model", export=PlannedExport("default", FOLDER))
    pod = Pod(tmp_path, datastore(local_s3), local_s3.s3.admin, outputs=[declared])
    assert pod.stage_in().code == 0
    assert local_s3.keys() == []
    # What another run that looks at this moment has there, and a folder that some program made.
    local_s3.put(f"{FOLDER}/write-check-1-x", b"")
    assert pod.stage_in().code == 0
    local_s3.put(f"{FOLDER}/claim.json", json.dumps({"formatVersion": 1} | OURS).encode())
    local_s3.put(f"{FOLDER}/data/part", b"of an earlier try")
    assert pod.stage_in().code == 0


@pytest.mark.fault
def test_a_step_that_is_stopped_so_leaves_nothing_where_other_outputs_would_go(
    local_s3: Space, tmp_path: Path
) -> None:
    first = Pod(tmp_path / "first", datastore(local_s3), local_s3.s3.admin, outputs=[output("raw")])
    (tmp_path / "first/outputs/raw").write_bytes(b"rows")
    [raw] = first.publish().report["outputs"]
    local_s3.put("taken/file", b"mine")
    before = local_s3.keys()

    def slowly(request: Request) -> Break | None:
        """It is known that one place is taken before the checks of all others have deleted what they wrote."""
        if request.method in ("DELETE", "POST"):
            return Break(beforehand=partial(time.sleep, 2))
        return Break(beforehand=partial(time.sleep, 1)) if "/raw/data" in request.path else None

    with breaking_proxy(local_s3.s3.endpoint, slowly) as proxy:
        outputs = [
            output("model", export=PlannedExport("default", "taken")),
            output("log", export=PlannedExport("default", "free")),
        ]
        place = datastore(local_s3, endpoint=proxy.endpoint)
        inputs = [(name, raw["inventory"]) for name in ("raw", "again")]
        staged = Pod(tmp_path / "next", place, local_s3.s3.admin, inputs=inputs, outputs=outputs).stage_in()
    assert staged.report["reason"] == "ExportTaken"
    assert local_s3.keys() == before


def test_a_place_that_may_not_be_written_is_found_before_user_code_runs(
    local_s3: Space, tmp_path: Path
) -> None:
    reader = local_s3.s3.reader
    assert reader
    declared = output("model", export=PlannedExport("default", FOLDER))
    staged = Pod(tmp_path, datastore(local_s3), reader, outputs=[declared]).stage_in()
    assert (staged.code, staged.report["reason"]) == (44, "PermissionDenied")


@pytest.mark.fault
@pytest.mark.parametrize("path", ["weights", "deep/run.sh"])
def test_other_bytes_than_what_was_published_are_never_exported(exporting: Exporting, path: str) -> None:
    folder = exporting.published["inventory"]["path"].rpartition("/")[0]
    content = dict(FILES)[path]
    exporting.space.put(f"{folder}/data/{path}", bytes([content[0] ^ 1]) + content[1:])
    exported = exporting.run()
    assert (exported.code, exported.report["reason"]) == (42, "InputDrift")
    assert not any(key.endswith("inventory.jsonl.gz") for key in exporting.space.keys(FOLDER))


@pytest.mark.fault
@pytest.mark.parametrize("is_carried_out", [False, True])
def test_whatever_request_it_is_killed_at_the_copy_is_whole_or_not_there_and_the_next_mover_goes_on(
    local_s3: Space, tmp_path: Path, movers: Forked, is_carried_out: bool
) -> None:
    exporting = Exporting(local_s3, tmp_path, movers, [("a", b"1"), ("b", b"2")])
    process = 0

    def begun(number: int) -> None:
        nonlocal process
        process = number

    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        for point in count(1):
            seen = count(1)

            def die(_: Request, seen: Iterator[int] = seen, point: int = point) -> Break | None:
                if next(seen) < point:
                    return None
                # As the kernel does it.
                if is_carried_out:
                    return Break(carried_out=partial(os.kill, process, signal.SIGKILL))
                os.kill(process, signal.SIGKILL)
                return Break(503)

            proxy.rule = die
            killed = exporting.run(endpoint=proxy.endpoint, has_begun=begun)
            if killed.code == 0:
                break
            assert (killed.code, killed.report) == (-signal.SIGKILL, {})
            if f"{FOLDER}/inventory.jsonl.gz" in local_s3.keys(FOLDER):
                assert exporting.copied() == {"a": b"1", "b": b"2"}
            assert exporting.run().code == 0
            assert exporting.copied() == {"a": b"1", "b": b"2"}
            for key in local_s3.keys(FOLDER):
                local_s3.client.remove_object(local_s3.bucket, local_s3.prefix + key)
    # Who is there, whether anything is, the claim, that it is ours, no copy yet, what to copy, two reads and writes,
    # whether it is ours still, the inventory.
    assert point > 11
