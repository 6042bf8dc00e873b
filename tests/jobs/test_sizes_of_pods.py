"""What a pod asks of its node: memory for movers and /dev/shm, disk for the inputs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from jobs.planned_steps import (
    make_content,
    make_datastore,
    make_input,
    make_order,
    make_output,
    make_plan,
    make_step,
)
from towpath.flow.contents import Counted
from towpath.flow.planned import PlannedStep
from towpath.flow.planned_datastores import PlannedDatastore, SidecarMount
from towpath.flow.quantities import amount
from towpath_operator.jobs import step
from towpath_operator.jobs.quantities import half, largest_resources
from towpath_operator.jobs.settings import MOVER_RESOURCES, PodSettings

GIB = 1024**3


def pod_of(planned: PlannedStep, *datastores: PlannedDatastore, scratch: int = 4096) -> dict[str, Any]:
    plan = make_plan(planned, datastores=datastores or (make_datastore(),))
    order = make_order(
        planned, 1, {given.name: make_content(scratch_bytes=scratch) for given in planned.inputs}
    )
    pod: dict[str, Any] = step.render(plan, planned, order, PodSettings())["spec"]["template"]["spec"]
    return pod


def volume(pod: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each["emptyDir"] for each in pod["volumes"] if each["name"] == name)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", "0.5"),
        ("2Gi", 2 * GIB),
        (3, 3),
        ("1.5Ki", 1536),
        ("2e3", 2000),
        ("1E", 10**18),
        ("12k", 12000),
        ("100n", "1e-7"),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(text: int | str, number: int | str) -> None:
    assert amount(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "1Xi", "Gi", "one", "1 Gi", "1.2.3", "1e9999", "٣"])
def test_what_is_no_quantity_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        amount(text)


def test_shared_memory_is_half_of_the_memory_limit() -> None:
    assert half("3Gi") == str(3 * GIB // 2)
    assert half(1_500_000_001) == "750000001"
    pod = pod_of(make_step(resources={"limits": {"memory": "3Gi"}}))
    assert volume(pod, "shm") == {"medium": "Memory", "sizeLimit": str(3 * GIB // 2)}


def test_without_a_memory_limit_shared_memory_has_none_either() -> None:
    assert volume(pod_of(make_step()), "shm") == {"medium": "Memory"}


def test_inputs_get_their_size_and_a_tenth_and_some_slack() -> None:
    pod = pod_of(make_step(inputs=(make_input(), make_input("more"))), scratch=10 * GIB)
    size = int(volume(pod, "inputs")["sizeLimit"])
    assert 22 * GIB < size < 22.1 * GIB
    publish = pod["containers"][1]["resources"]
    assert publish["requests"]["ephemeral-storage"] == str(size)
    assert "ephemeral-storage" not in publish["limits"]


def test_a_view_gets_the_disk_that_was_counted_for_it_and_not_that_of_its_version() -> None:
    view = replace(make_input(), counted=Counted(5, GIB - 4096, GIB))
    pod = pod_of(make_step(inputs=(view, make_input("more"))), scratch=10 * GIB)
    size = int(volume(pod, "inputs")["sizeLimit"])
    assert 12.1 * GIB <= size < 12.2 * GIB
    assert pod["containers"][1]["resources"]["requests"]["ephemeral-storage"] == str(size)


def test_a_disk_limit_of_the_step_is_not_used_up_by_its_inputs() -> None:
    limits = {"limits": {"ephemeral-storage": "1Gi"}}
    pod = pod_of(make_step(inputs=(make_input(),), resources=limits), scratch=10 * GIB)
    assert pod["containers"][0]["resources"] == limits
    publish = pod["containers"][1]["resources"]
    assert publish["limits"]["ephemeral-storage"] == publish["requests"]["ephemeral-storage"]


def test_movers_get_what_the_largest_of_their_datastores_asks() -> None:
    small = make_datastore("archive", mover_resources={"limits": {"memory": "512Mi"}})
    large = make_datastore(mover_resources={"limits": {"memory": "1Gi"}, "requests": {"cpu": 1}})
    pod = pod_of(make_step(inputs=(make_input(),), outputs=(make_output(datastore="archive"),)), small, large)
    assert pod["initContainers"][0]["resources"] == {"limits": {"memory": "1Gi"}, "requests": {"cpu": 1}}
    assert pod["containers"][1]["resources"]["limits"] == {"memory": "512Mi"}


def test_movers_get_what_the_installation_says_where_no_datastore_does() -> None:
    pod = pod_of(make_step(inputs=(make_input(),)))
    assert pod["initContainers"][0]["resources"] == MOVER_RESOURCES
    # It enters no datastore, as the step has no outputs.
    assert pod["containers"][1]["resources"]["limits"] == MOVER_RESOURCES["limits"]


def test_the_larger_quantity_is_larger_by_number_not_by_letters() -> None:
    either = [{"limits": {"memory": "900Mi"}}, {"limits": {"memory": "1Gi"}}]
    assert largest_resources(either) == largest_resources(reversed(either)) == {"limits": {"memory": "1Gi"}}


def test_a_sidecars_cache_may_hold_what_is_mounted_and_is_not_charged_to_the_step() -> None:
    reads = replace(make_input(), is_mounted=True)
    beside = replace(make_datastore(), mount=SidecarMount(2 * GIB))
    content = make_content()
    most = str(2 * GIB + content.bytes + content.files * 8192)
    for limits, of_sidecar in (
        ({}, {"memory": "512Mi"}),
        ({"ephemeral-storage": "5Gi"}, {"memory": "512Mi", "ephemeral-storage": most}),
    ):
        planned = make_step(inputs=(reads,), resources={"limits": limits})
        pod = pod_of(planned, beside)
        assert volume(pod, "mount-cache-0") == {"sizeLimit": most}
        asked = pod["initContainers"][0]["resources"]
        assert (asked["requests"]["ephemeral-storage"], asked["limits"]) == (str(2 * GIB), of_sidecar)
    without = pod_of(make_step(inputs=(reads,)), replace(make_datastore(), mount=SidecarMount(0)))
    assert not any(one["name"].startswith("mount-cache") for one in without["volumes"])
    assert "ephemeral-storage" not in without["initContainers"][0]["resources"]["requests"]
