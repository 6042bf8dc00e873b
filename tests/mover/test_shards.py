"""Shards of a step in a real S3 server: each gets its share, and one mover makes one output of what all wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from mover.movers import take_inventory
from mover.pods import NAMESPACE, RUN, Ended, Pod, content_of, datastore, inventory_of, output, write_files
from towpath.flow import store_keys
from towpath.flow.planned import PlannedOutput, PlannedShards

pytestmark = pytest.mark.server

FILES = {f"{number % 3}/{number}.txt": f"file {number}".encode() for number in range(8)}
SHARDS = PlannedShards("raw", 3)
PREFIX = store_keys.result_prefix(NAMESPACE, RUN.name, RUN.uid, "prep")


def uid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


class Fan:
    """The pods of a step in three shards, and that of their merge."""

    def __init__(self, space: Space, folder: Path, *outputs: PlannedOutput) -> None:
        self.space, self.folder, self.outputs = space, folder, outputs
        for path, content in FILES.items():
            space.put(f"raw/{path}", content)
        listing = take_inventory(datastore(space), space.s3.admin, ["raw/"], folder / "listing")
        self.inventory: dict[str, Any] = listing.report["inventory"]
        self.parts: dict[int, str] = {}

    def pod(self, place: int, running: str = "0-2", number: int = 0) -> Pod:
        return Pod(
            self.folder / f"pod-{running}-{place}-{number}",
            datastore(self.space),
            self.space.s3.admin,
            inputs=[("raw", self.inventory)],
            outputs=self.outputs,
            shards=SHARDS,
            running=running,
            place=place,
            uid=uid(number or place),
        )

    def publish(self, pod: Pod, files: Mapping[str, bytes]) -> Ended:
        """Write these outputs as the step would, and publish them."""
        assert pod.stage_in().code == 0
        write_files(pod.root / "outputs", files.items())
        ended = pod.publish()
        assert ended.code == 0, ended.errors
        self.parts[ended.report["shard"]] = ended.report["attempt"]
        return ended

    def publish_one_each(self) -> None:
        for place in range(3):
            self.publish(self.pod(place), {f"data/{place}.txt": b"%d" % place})

    def merge(self) -> Ended:
        return self.pod(0, number=99).merge(self.parts)


@pytest.fixture
def fan(local_s3: Space, tmp_path: Path) -> Fan:
    return Fan(local_s3, tmp_path, output("data"))


def test_each_shard_gets_its_share_and_all_of_them_everything_once(fan: Fan) -> None:
    shares = []
    for place in range(3):
        pod = fan.pod(place)
        assert pod.stage_in().code == 0
        shares.append({path: content for path, (content, _) in content_of(pod.root / "inputs/raw").items()})

    ordered = sorted(FILES)
    assert [sorted(share) for share in shares] == [ordered[place::3] for place in range(3)]
    assert {path: content for share in shares for path, content in share.items()} == FILES


def test_a_shard_that_is_run_again_alone_is_the_same_shard_wherever_it_stands_in_its_job(fan: Fan) -> None:
    again = fan.pod(0, running="2", number=7)
    is_two = 'test "$TOWPATH_SHARD" = 2 && test "$JOB_COMPLETION_INDEX" = 2 && echo > "$0"'

    assert again.stage_in().code == 0
    code, published = again.run_step("/bin/sh", "-c", is_two, str(again.root / "outputs/data"))

    assert (code, published.code, published.report["shard"]) == (0, 0, 2)
    assert sorted(content_of(again.root / "inputs/raw")) == sorted(FILES)[2::3]
    context = json.loads((again.root / "context/context.json").read_text())
    assert (context["shard"], context["shards"]) == (2, 3)


def test_what_the_shards_wrote_is_one_output_with_the_digest_of_its_content(
    fan: Fan, local_s3: Space, tmp_path: Path
) -> None:
    written = [{f"data/{place}.txt": b"%d" % place, f"data/deep/{place}/x": b""} for place in range(3)]
    for place, files in enumerate(written):
        fan.publish(fan.pod(place), files)
    plain = Pod(tmp_path / "plain", datastore(local_s3), local_s3.s3.admin, outputs=[output("data")])
    assert plain.stage_in().code == 0
    for files in written:
        write_files(plain.root / "outputs", files.items())
    [alone] = plain.publish().report["outputs"]

    merged = fan.merge()

    assert merged.code == 0, merged.errors
    assert merged.report["attempt"] == store_keys.shard_attempt_id(9, uid(99))
    [found] = merged.report["outputs"]
    told = ("files", "bytes", "scratchBytes", "directory")
    assert [found[key] for key in told] == [alone[key] for key in told] == [6, 3, 32768, True]
    assert found["inventory"]["digest"] == alone["inventory"]["digest"]
    result = local_s3.get(store_keys.result_key(PREFIX, merged.report["attempt"]))
    assert json.loads(result)["outputs"] == merged.report["outputs"]


def test_what_the_shards_logged_becomes_the_steps_metrics(fan: Fan, local_s3: Space) -> None:
    for place in range(3):
        pod = fan.pod(place)
        (pod.root / "work").mkdir(exist_ok=True)
        logged = json.dumps({"name": "rows", "value": 10 * place})
        (pod.root / "work/.metrics.jsonl").write_text(logged)
        fan.publish(pod, {f"data/{place}.txt": b"%d" % place})

    merged = fan.merge()

    assert merged.code == 0, merged.errors
    assert merged.report["metrics"] == {"rows": 10, "rows/sum": 30, "rows/min": 0, "rows/max": 20}
    result = json.loads(local_s3.get(store_keys.result_key(PREFIX, merged.report["attempt"])))
    assert result["metrics"] == merged.report["metrics"]


def test_a_step_reads_the_whole_from_where_its_shards_wrote_it(
    fan: Fan, local_s3: Space, tmp_path: Path
) -> None:
    fan.publish_one_each()
    whole = inventory_of(fan.merge().report, "data")

    inputs = [("in", whole.__dict__)]
    reader = Pod(tmp_path / "reader", datastore(local_s3), local_s3.s3.admin, inputs=inputs)

    assert reader.stage_in().code == 0
    assert content_of(reader.root / "inputs/in") == {
        f"{place}.txt": (b"%d" % place, False) for place in range(3)
    }


def test_small_files_that_share_objects_are_merged_where_they_lie(local_s3: Space, tmp_path: Path) -> None:
    fan = Fan(local_s3, tmp_path, output("data", packed=True))
    for place in range(3):
        fan.publish(fan.pod(place), {f"data/{number}/{place}.txt": b"%d" % number for number in range(4)})

    whole = inventory_of(fan.merge().report, "data")

    inputs = [("in", whole.__dict__)]
    reader = Pod(tmp_path / "reader", datastore(local_s3), local_s3.s3.admin, inputs=inputs)
    assert reader.stage_in().code == 0
    found = content_of(reader.root / "inputs/in")
    assert found == {f"{n}/{place}.txt": (b"%d" % n, False) for n in range(4) for place in range(3)}
    assert not [key for key in local_s3.keys(PREFIX) if "/data/data/" in key], "all of them lie in packs"


def test_one_path_of_two_shards_is_refused_and_both_are_named(fan: Fan) -> None:
    for place, name in enumerate(["a", "b", "a"]):
        fan.publish(fan.pod(place), {f"data/{name}.txt": b"same"})

    merged = fan.merge()

    assert (merged.code, merged.report["reason"]) == (41, "DuplicatePath")
    assert merged.report["message"].startswith("Shards 0 and 2 both wrote the file 'a.txt', and")
    assert not [key for key in fan.space.keys(f"{PREFIX}_shards/9-") if key]


def test_two_shards_that_each_are_one_file_are_refused(fan: Fan) -> None:
    for place in range(3):
        fan.publish(fan.pod(place), {"data": b"all"})

    merged = fan.merge()

    assert merged.report["reason"] == "DuplicatePath"
    assert "TOWPATH_SHARD" in merged.report["message"]


def test_a_file_and_a_folder_are_not_one_output(fan: Fan) -> None:
    for place, path in enumerate(["data", "data/1", "data/2"]):
        fan.publish(fan.pod(place), {path: b""})

    merged = fan.merge()

    assert merged.report["reason"] == "OutputWrongKind"
    assert "shard 0 wrote a file" in merged.report["message"]


def test_an_output_that_one_shard_alone_wrote_as_a_file_is_a_file(local_s3: Space, tmp_path: Path) -> None:
    optional = [output(name, optional=True) for name in ("report", "never")]
    fan = Fan(local_s3, tmp_path, output("data"), *optional)
    for place in range(3):
        fan.publish(fan.pod(place), {f"data/{place}": b""} | ({"report": b"ok"} if place == 1 else {}))

    found = {one["name"]: one for one in fan.merge().report["outputs"]}

    assert sorted(found) == ["data", "report"]
    assert (found["report"]["directory"], found["report"]["file"]) == (False, "report")


def test_a_part_that_was_changed_meanwhile_is_never_taken(fan: Fan, local_s3: Space) -> None:
    fan.publish_one_each()
    first, second = (store_keys.output_inventory_key(PREFIX, fan.parts[shard], "data") for shard in (0, 1))
    local_s3.put(second, local_s3.get(first))

    merged = fan.merge()

    assert (merged.code, merged.report["reason"]) == (42, "OutputChanged")


def test_a_result_of_another_shard_is_never_taken(fan: Fan, local_s3: Space) -> None:
    fan.publish_one_each()
    first, second = (store_keys.result_key(PREFIX, fan.parts[shard]) for shard in (0, 1))
    local_s3.put(second, local_s3.get(first))

    merged = fan.merge()

    assert (merged.code, merged.report["reason"]) == (42, "OutputChanged")
    assert "not the result of shard 1" in merged.report["message"]
