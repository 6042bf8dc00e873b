"""A version is deleted, and its Dataset says Delete: the files go from the store, those of every other version stay."""

from __future__ import annotations

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.tenant import Tenant

pytestmark = pytest.mark.story


def test_what_a_step_wrote_for_a_deleted_version_is_swept_and_the_next_version_stays(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    tenant.apply("Dataset", "scores", {"deletionPolicy": "Delete"})
    tenant.apply("Dataset", "archive", {"deletionPolicy": "Retain"})
    for number, word in enumerate(("first", "second"), start=1):
        outputs = [{"name": name, "register": {"name": name}} for name in ("scores", "archive")]
        command = [
            "sh",
            "-c",
            f"echo {word} | tee $0 > $1",
            *(f"$(outputs.{one['name']}.path)" for one in outputs),
        ]
        run = tenant.start_steps({"name": "score", "command": command, "outputs": outputs})
        assert tenant.finish(run)["steps"][0]["outputs"][0]["version"] == number
    before = {name: set(space.keys(f"{tenant.namespace}/datasets/{name}/")) for name in ("scores", "archive")}
    kept = tenant.get("datasetversions", "scores-v2")["spec"]["inventory"]["path"].rsplit("/", 2)[0]

    tenant.delete("datasetversions", "scores-v1", "archive-v1")
    gone = before["scores"] - {key for key in before["scores"] if key.startswith(kept)}
    top = f"{tenant.namespace}/datasets/scores/"
    assert wait_until(lambda: gone.isdisjoint(space.keys(top)), 120, pause=0.5), tenant.status(
        "datastores", default_store
    ).get("swept")

    after = {name: set(space.keys(f"{tenant.namespace}/datasets/{name}/")) for name in ("scores", "archive")}
    assert (len(before["scores"]), after["archive"]) == (4, before["archive"])
    assert after["scores"] == {key for key in before["scores"] if key.startswith(kept)}
    assert len(after["scores"]) == 2
