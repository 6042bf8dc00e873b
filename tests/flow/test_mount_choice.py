"""By which way a datastore is mounted: a table of cases, and what a driver is never told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.sightings import a_datastore, planned, sources
from flow.test_mounting import CLAIM, reads, the_input
from towpath.flow.documents import write
from towpath.flow.mount_choice import Driver, MountChoice, MountMeans, choose_mount, words_of
from towpath.flow.planned_datastores import ClaimMount, InlineCsiMount, SidecarMount
from towpath.flow.resolve import what_is_needed
from towpath.flow.restore import restore

GiB = 1 << 30
CSI: dict[str, Any] = {"csi": {"driver": "blob.example.org"}}
FUSE: dict[str, Any] = {"fuseSidecar": {}}
THROUGH_CLAIM: dict[str, Any] = CLAIM["mount"][0]
INLINE = MountMeans({"blob.example.org": Driver.INLINE})
ENABLED = MountMeans(sidecar_cache_bytes=0)


def chosen(*ways: dict[str, Any], means: MountMeans = INLINE, **s3: Any) -> MountChoice:
    spec = a_datastore().spec.as_dict()["s3"]
    return choose_mount(a_datastore(s3=spec | s3, mount=list(ways)), "team-a", means)


@pytest.mark.parametrize(
    ("ways", "means", "mount", "passed_over"),
    [
        ([], ENABLED, None, []),
        ([CSI, THROUGH_CLAIM], INLINE, "csi blob.example.org", []),
        # Nobody may look: the kubelet will say.
        ([CSI, THROUGH_CLAIM], MountMeans(), "csi blob.example.org", []),
        (
            [CSI, THROUGH_CLAIM],
            MountMeans({"blob.example.org": Driver.MISSING}),
            "persistentVolumeClaim shared",
            ["csi blob.example.org: DriverNotInstalled"],
        ),
        (
            [CSI, FUSE],
            MountMeans({"blob.example.org": Driver.NOT_INLINE}),
            None,
            ["csi blob.example.org: InlineNotSupported", "fuseSidecar: NotEnabled"],
        ),
        ([FUSE, CSI], ENABLED, "fuseSidecar", []),
        ([FUSE], MountMeans(sidecar_cache_bytes=0, pod_security="privileged"), "fuseSidecar", []),
        (
            [FUSE],
            MountMeans(sidecar_cache_bytes=0, pod_security="baseline"),
            None,
            ["fuseSidecar: PodSecurityForbids, it is privileged, and the namespace enforces baseline"],
        ),
    ],
)
def test_the_first_way_that_can_be_gone_is_gone_and_each_before_it_says_why_not(
    ways: list[dict[str, Any]], means: MountMeans, mount: str | None, passed_over: list[str]
) -> None:
    choice = chosen(*ways, means=means)
    assert (words_of(choice.mount) if choice.mount else None) == mount
    assert len(choice.passed_over) == len(passed_over)
    for said, expected in zip(choice.passed_over, passed_over, strict=True):
        assert str(said).startswith(expected)


def test_attributes_are_filled_and_the_volume_shows_the_prefix_if_one_of_them_names_it() -> None:
    attributes = {"bucketName": "{bucket}", "subDir": "x/{prefix}/{namespace}", "server": "{endpoint}"}
    csi = {
        "driver": "d.example.org",
        "volumeAttributes": attributes,
        "nodePublishSecretRef": {"name": "keys"},
    }
    where: dict[str, Any] = {"endpoint": "https://s3.example.org", "bucket": "data"}
    filled = chosen({"csi": csi}, prefix="raw/2026/", **where).mount
    assert filled == InlineCsiMount(
        "d.example.org",
        {"bucketName": "data", "server": "https://s3.example.org", "subDir": "x/raw/2026/team-a"},
        "keys",
    )
    del attributes["subDir"]
    shows_all = chosen({"csi": csi}, prefix="raw/2026/", **where).mount
    assert isinstance(shows_all, InlineCsiMount)
    assert shows_all.folder == "raw/2026"


@pytest.mark.parametrize("prefix", ["a b/", "a,b/", "a;b/", 'a"b/', "ä/", "a'b/"])
def test_what_a_driver_might_take_for_an_option_of_its_own_is_never_handed_to_it(prefix: str) -> None:
    way = {"csi": {"driver": "d.example.org", "volumeAttributes": {"subDir": "{prefix}"}}}
    choice = chosen(way, prefix=prefix)
    assert choice.mount is None
    assert str(choice.passed_over[0]).startswith("csi d.example.org: InvalidAttribute, subDir would be")


@pytest.mark.parametrize("text", ["{secret}", "{bucket", "{}", "a}b"])
def test_a_variable_that_does_not_exist_is_refused_by_name(text: str) -> None:
    way = {"csi": {"driver": "d.example.org", "volumeAttributes": {"share": text}}}
    if not text.startswith("{"):
        way["csi"]["volumeAttributes"]["share"] = text  # type: ignore[index]
    assert "InvalidAttribute, share" in str(chosen(way).passed_over[0])


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_no_prefix_brings_a_separator_or_a_way_out_to_a_driver(prefix: str) -> None:
    way = {"csi": {"driver": "d.example.org", "volumeAttributes": {"subDir": "{prefix}"}}}
    datastore = a_datastore(mount=[way])
    s3 = datastore.spec.s3
    assert s3 is not None
    # As the API server would never let it in: what is checked here does not rest on it.
    loose = datastore.spec.model_copy(update={"s3": s3.model_copy(update={"prefix": prefix})})
    choice = choose_mount(datastore.model_copy(update={"spec": loose}), "team-a", INLINE)
    if isinstance(choice.mount, InlineCsiMount):
        told = choice.mount.attributes.get("subDir", "")
        assert not set(told) & set(" ,;\"'\\\n\t")
        assert ".." not in told.split("/")


def test_a_sidecar_has_the_cache_that_its_datastore_asks_for_or_that_of_the_installation() -> None:
    means = MountMeans(sidecar_cache_bytes=GiB)
    assert chosen(FUSE, means=means).mount == SidecarMount(GiB)
    assert chosen({"fuseSidecar": {"cacheSize": "2Gi"}}, means=means).mount == SidecarMount(2 * GiB)


@pytest.mark.parametrize("way", [CSI, FUSE, THROUGH_CLAIM])
def test_each_way_comes_back_from_the_plan_as_it_went_in(way: dict[str, Any]) -> None:
    means = MountMeans({"blob.example.org": Driver.INLINE}, sidecar_cache_bytes=0)
    plan = planned(reads(mode="Mount"), datastores={"default": a_datastore(mount=[way])}, mount_means=means)
    assert the_input(plan).is_mounted
    assert restore(write(plan)) == plan
    [datastore] = plan.datastores
    kinds = {"csi": InlineCsiMount, "fuseSidecar": SidecarMount, "persistentVolumeClaim": ClaimMount}
    assert isinstance(datastore.mount, kinds[next(iter(way))])


def test_what_was_passed_over_stands_in_the_note_and_in_the_refusal() -> None:
    datastores = {"default": a_datastore(mount=[FUSE, THROUGH_CLAIM])}
    note = the_input(planned(reads(mode="Mount"), datastores=datastores)).note
    assert note is not None
    assert note == "input iris: mounted through persistentVolumeClaim shared; not fuseSidecar: NotEnabled"
    none = {"default": a_datastore(mount=[FUSE])}
    note = the_input(planned(reads(mode="Auto"), datastores=none)).note
    assert note is not None
    assert note.startswith("input iris: downloaded: Datastore default: fuseSidecar: NotEnabled")


def test_what_there_is_to_mount_with_is_asked_for_only_where_something_may_be_mounted() -> None:
    for mode, asks in (("Download", False), ("Mount", True), ("Auto", True)):
        read = sources(reads(mode=mode))
        assert what_is_needed(read.run, read.pipeline).mounts is asks
