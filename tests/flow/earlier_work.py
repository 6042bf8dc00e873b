"""Steps that earlier runs have published, and the movers that have looked at that: valid ones, for tests of reuse."""

from __future__ import annotations

import json
from typing import Any

import builders
from flow.sightings import NOON, a_pod, container
from towpath.flow import verification
from towpath.flow.contents import Content, InventoryRef
from towpath.flow.decision import Decision
from towpath.flow.documents import digest_of
from towpath.flow.fingerprint import fingerprint
from towpath.flow.mover_orders import Verification
from towpath.flow.observed import ObservedMover
from towpath.flow.planned import EarlierStep, Origin, Plan
from towpath.flow.recorded import PublishedOutput, RecordedStep, StepState
from towpath.flow.upstream import contents_of

PINNED = "python@sha256:" + "1" * 64
DATA = [{"name": "data"}]


def step(name: str, **fields: Any) -> dict[str, Any]:
    return builders.make_step(name, **{"image": PINNED, "outputs": DATA, **fields})


def after(name: str, before: str, **fields: Any) -> dict[str, Any]:
    return step(name, inputs=[{"name": "data", "from": {"step": before}}], **fields)


CHAIN = (step("a"), after("b", "a", command=["b"]), after("c", "b", command=["c"]))


def finished(plan: Plan, *names: str, run: str = "old") -> dict[str, EarlierStep]:
    """What an earlier run of this plan has published, by fingerprint: each step something else."""
    steps: dict[str, RecordedStep] = {}
    found = {}
    for one in plan.steps:
        contents = contents_of(one, steps)
        mine = fingerprint(one, contents)
        outputs = {output.name: content_of(output.name, f"{run}/{one.name}") for output in one.outputs}
        if one.name in names:
            found[mine] = EarlierStep(
                Origin(run, f"uid-{run}", one.name), mine, outputs, {"loss": 0.5}, f"1-{run}"
            )
        published = tuple(PublishedOutput(name, content, 1.0) for name, content in outputs.items())
        steps[one.name] = RecordedStep(one.name, StepState.SUCCEEDED, outputs=published)
    return found


def content_of(name: str, place: str) -> Content:
    inventory = InventoryRef(
        "default", f"team-a/runs/{place}/1-x/{name}/inventory.jsonl.gz", digest_of(place)
    )
    return Content(inventory, 1, 100, 8192, True, datastores=("default",))


def verifier(order: Verification, gone: tuple[str, ...] = (), **container_fields: Any) -> ObservedMover:
    """The mover of a verification that has ended, all outputs but those being there."""
    marks = [verification.mark(content) for content in order.outputs]
    report = {
        "formatVersion": 1,
        "there": ",".join(mark for mark in marks if mark not in gone),
        "gone": ",".join(mark for mark in marks if mark in gone),
        "why": "it is gone" if gone else "",
    }
    fields: dict[str, Any] = {"exit_code": 0, "message": json.dumps(report)} | container_fields
    pod = a_pod(container("verify-outputs", **fields))
    return ObservedMover(
        f"verify-{order.ask}", order.ask, NOON, pod, has_ended=fields["exit_code"] is not None
    )


def of(decision: Decision, name: str) -> RecordedStep:
    return next(one for one in decision.recorded.steps if one.name == name)
