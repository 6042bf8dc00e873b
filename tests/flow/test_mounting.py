"""Which inputs are mounted, and what is said of those that are not: a table of cases, and the way into the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.sightings import INSTALLATION, LIMITS, NOON, a_datastore, a_version, planned, sources
from towpath.api.ports import Access
from towpath.flow import names
from towpath.flow.conditions import RunReason
from towpath.flow.contents import Content, Counted, InventoryRef
from towpath.flow.documents import write
from towpath.flow.mounting import auto
from towpath.flow.planned import Plan, PlannedInput
from towpath.flow.planned_datastores import ClaimMount
from towpath.flow.resolve import resolve
from towpath.flow.restore import restore
from towpath.flow.scratch import scratch_bytes
from towpath.flow.sources import Refused

MiB = 1 << 20
CLAIM: dict[str, Any] = {"mount": [{"persistentVolumeClaim": {"claimName": "shared", "subPath": "a/b"}}]}


def reads(**given: Any) -> dict[str, Any]:
    """A step that reads the dataset iris."""
    return builders.make_step(inputs=[{"name": "iris"} | given], outputs=[{"name": "clean"}])


def plan_of(*steps: dict[str, Any], mount: dict[str, Any] | None = None) -> Plan:
    """The plan of these steps where the datastore `default` can be mounted so."""
    return planned(*steps, datastores={"default": a_datastore(**(CLAIM if mount is None else mount))})


def the_input(plan: Plan) -> PlannedInput:
    return plan.steps[0].inputs[0]


def test_an_input_is_mounted_through_the_first_claim_of_its_datastore() -> None:
    plan = plan_of(reads(mode="Mount"))

    note = "input iris: mounted through persistentVolumeClaim shared"
    assert (the_input(plan).is_mounted, the_input(plan).note) == (True, note)
    [datastore] = plan.datastores
    assert datastore.mount == ClaimMount("shared", "a/b")
    assert restore(write(plan)) == plan


def test_a_datastore_on_a_claim_is_mounted_by_it() -> None:
    plan = plan_of(
        reads(mode="Mount"),
        mount={"s3": None, "persistentVolumeClaim": {"claimName": "data", "subPath": "team"}},
    )
    assert the_input(plan).is_mounted
    assert plan.datastores[0].mount == ClaimMount("data", "team")


def test_without_a_way_to_mount_it_is_downloaded_or_refused_as_it_says() -> None:
    downloaded = the_input(plan_of(reads(mode="Mount", onUnavailable="Download"), mount={}))
    assert (downloaded.is_mounted, downloaded.note) == (
        False,
        "input iris: downloaded, since it cannot be mounted: Datastore default has no `mount`, which says through "
        "what it can be read without a copy",
    )
    outcome = resolve(sources(reads(mode="Mount")), NOON, LIMITS)
    assert isinstance(outcome, Refused)
    assert outcome.reason is RunReason.MOUNT_UNAVAILABLE
    assert outcome.message.startswith(
        "Step prep, input iris says mode: Mount and cannot be mounted: Datastore default has no `mount`"
    )


def test_the_output_of_a_step_is_mounted_where_it_will_lie_and_not_packed() -> None:
    after = builders.make_step(
        "train", inputs=[{"name": "clean", "from": {"step": "prep"}, "mode": "Mount"}], outputs=[]
    )
    plan = plan_of(reads(), after)
    assert plan.steps[1].inputs[0].is_mounted
    assert plan.steps[0].outputs[0].packed is False
    assert plan_of(reads(), after, mount=CLAIM).steps[0].outputs[0].packed is False


def test_the_mode_is_no_part_of_a_fingerprint() -> None:
    mounted, downloaded = (plan_of(reads(mode=mode)).steps[0].contract for mode in ("Mount", "Download"))
    assert mounted == downloaded


def test_a_mounted_input_takes_no_more_of_the_disk_than_its_links() -> None:
    step = plan_of(reads(mode="Mount")).steps[0]
    content = Content(InventoryRef("default", "x", "y"), 3, 1 << 40, 1 << 40, True)
    assert scratch_bytes(step, {"iris": content}) == 3 * 4096


def test_what_is_mounted_need_not_fit_on_a_disk() -> None:
    version = {"iris": (a_version(scratchBytes=1 << 40),)}
    datastores = {"default": a_datastore(**CLAIM)}
    limits = replace(LIMITS, max_scratch_bytes=4096)
    outcomes = [
        resolve(sources(reads(mode=mode), versions=version, datastores=datastores), NOON, limits)
        for mode in ("Mount", "Download")
    ]
    assert [getattr(outcome, "reason", None) for outcome in outcomes] == [None, RunReason.TOO_LARGE]


@pytest.mark.parametrize(
    ("files", "size", "access", "is_mounted", "words"),
    [
        (1, 4096 * MiB, Access.WHOLE, False, "downloaded: all of it is read, and it fits"),
        (
            1,
            4096 * MiB,
            Access.PARTIAL,
            True,
            f"mounted: parts are read of files of {4096 * MiB} bytes on average",
        ),
        (
            10_000,
            10_000 * 20_000,
            Access.PARTIAL,
            False,
            "downloaded: files of 20000 bytes on average come faster",
        ),
        (8, 8 * 8 * MiB, Access.PARTIAL, True, f"mounted: parts are read of files of {8 * MiB} bytes"),
        (8, 8 * 8 * MiB - 8, Access.PARTIAL, False, f"downloaded: files of {8 * MiB - 1} bytes"),
        (0, 0, Access.PARTIAL, False, "downloaded: files of 0 bytes"),
        (1, 1 << 50, Access.WHOLE, True, f"mounted: {1 << 50} bytes are more than a node's disk may take"),
    ],
)
def test_auto_chooses_by_size_files_disk_and_access(
    files: int, size: int, access: Access, is_mounted: bool, words: str
) -> None:
    most = 1 << 44
    choice = auto(Counted(files, size, size), access, None, most)
    assert choice.is_mounted is is_mounted
    assert choice.note is not None
    assert choice.note.startswith(words)
    without = auto(Counted(files, size, size), access, "nothing mounts it", most)
    assert (without.is_mounted, without.note) == (False, "downloaded: nothing mounts it")
    assert not auto(None, access, None, most).is_mounted


def test_without_a_cluster_whatever_would_be_mounted_is_downloaded() -> None:
    here = replace(INSTALLATION, can_mount=False)
    for given in ({"mode": "Mount"}, {"mode": "Auto"}, {"mode": "Mount", "onUnavailable": "Download"}):
        plan = planned(reads(**given), datastores={"default": a_datastore(**CLAIM)}, installation=here)
        assert (the_input(plan).is_mounted, plan.datastores[0].mount) == (False, None)
        assert the_input(plan).note == "input iris: downloaded: without a cluster nothing is mounted"


def test_auto_tells_in_the_plan_what_it_chose() -> None:
    assert (
        the_input(plan_of(reads(mode="Auto"))).note
        == "input iris: downloaded: all of it is read, and it fits"
    )
    assert the_input(plan_of(reads(mode="Auto"), mount={})).note == (
        "input iris: downloaded: Datastore default has no `mount`, which says through what it can be read without a "
        "copy"
    )


def test_auto_keeps_to_what_a_compute_target_allows_of_a_disk() -> None:
    template = {"metadata": {"annotations": {names.MAX_SCRATCH_ANNOTATION: "1Gi"}}, "template": {"spec": {}}}
    content = {"iris": (a_version(scratchBytes=2 << 30, bytes=2 << 30),)}
    for given, is_mounted in (({"computeTarget": "small"}, True), ({}, False)):
        step = reads(mode="Auto") | given
        plan = planned(
            step,
            datastores={"default": a_datastore(**CLAIM)},
            versions=content,
            pod_templates={"small": template},
        )
        assert the_input(plan).is_mounted is is_mounted


@pytest.mark.parametrize("format_", [{"csv": {}}, {"parquet": {}}, {"jsonLines": {}}])
def test_a_tabular_dataset_is_mounted_whole_and_what_is_selected_of_its_rows_is_written_as_files(
    format_: dict[str, Any],
) -> None:
    table = {"iris": (a_version(type="Tabular", format=format_),)}
    some = [{"take": {"count": 3}}]
    for given, note in (
        ({}, "input iris: mounted through persistentVolumeClaim shared"),
        (
            {"transforms": some, "onUnavailable": "Download"},
            "input iris: downloaded, since it cannot be mounted: rows that were selected are written as files",
        ),
    ):
        plan = planned(
            reads(mode="Mount", **given), versions=table, datastores={"default": a_datastore(**CLAIM)}
        )
        assert the_input(plan).note == note
