"""Steps of every shape that the API admits, for laws that hold for all of them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st

from jobs.planned_steps import make_content, make_datastore, make_order, make_plan, make_step
from towpath.flow.contents import PinnedVersion
from towpath.flow.decision import AttemptOrder
from towpath.flow.planned import (
    CLAIM,
    Plan,
    PlannedCode,
    PlannedInput,
    PlannedOutput,
    PlannedStep,
    RunIdentity,
)
from towpath.flow.planned_datastores import ClaimMount, InlineCsiMount, PlannedDatastore, SidecarMount

# Short, long, dotted, underscored: the names that could collide, overflow or be refused.
PORTS = st.sampled_from(["raw", "a", "a_b", "train_data", "x1", "p" * 63])
STEPS = st.sampled_from(["prep", "a", "train_model", "a-b_c", "s" * 63, "s-_" * 20 + "x"])
OBJECTS = st.sampled_from(
    ["default", "a", "archive-2", "my.store", "credentials-0", "d" * 64, "d" * 253, "d.e" * 80]
)
UIDS = st.uuids().map(str)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
SECURITY = st.sampled_from(
    [{}, {"runAsUser": 4000}, {"runAsUser": 0, "runAsGroup": 0}, {"fsGroup": 7, "supplementalGroups": [8]}]
)
RESOURCES = st.sampled_from(
    [{}, {"limits": {"memory": "3Gi"}}, {"limits": {"memory": 1_500_000_001, "ephemeral-storage": "1Gi"}}]
)
CODES = st.sampled_from(
    [None, PlannedCode("sha256:00", inline={"a.py": ""}), PlannedCode("sha256:00", config_map="code")]
)


# A busy machine is no failure.
IN_ANY_TIME = settings(max_examples=40, deadline=None)


@st.composite
def attempts(draw: st.DrawFn) -> tuple[Plan, PlannedStep, AttemptOrder]:
    """A plan, a step of it, and the order for one attempt."""
    stores = draw(st.lists(OBJECTS, min_size=1, max_size=4, unique=True))
    step = draw(steps(stores))
    params = draw(st.dictionaries(st.sampled_from(["share", "SHARE", "_x", "a1"]), TEXTS, max_size=3))
    datastores = tuple(draw(_datastores(name)) for name in stores)
    run = RunIdentity(draw(OBJECTS), draw(UIDS), "team-a")
    plan = make_plan(step, run=run, params=params, datastores=datastores)
    return plan, step, make_order(step, draw(st.integers(1, 10_000)))


WAYS_TO_MOUNT = [
    None,
    ClaimMount("shown"),
    ClaimMount("shown", "a"),
    InlineCsiMount("csi.example.org", {"bucketName": "b"}, "keys", "team-a"),
    InlineCsiMount("csi.example.org"),
    SidecarMount(0),
    SidecarMount(1 << 30),
]


@st.composite
def _datastores(draw: st.DrawFn, name: str) -> PlannedDatastore:
    certificates, read_only = draw(st.sampled_from([None, "ca"])), draw(st.booleans())
    claim = draw(st.none() | OBJECTS)
    if claim is None:
        shown = draw(st.sampled_from(WAYS_TO_MOUNT))
        return make_datastore(name, ca_config_map=certificates, read_only=read_only, mount=shown)
    folder = draw(st.sampled_from([{}, {"subPath": "a/b"}]))
    own = ClaimMount(claim, folder.get("subPath")) if draw(st.booleans()) else None
    return PlannedDatastore(name, {"claimName": claim, **folder}, CLAIM, read_only, mount=own)


@st.composite
def steps(draw: st.DrawFn, stores: list[str]) -> PlannedStep:
    """A step that reads and writes these datastores."""
    inputs = draw(st.lists(PORTS, max_size=4, unique=True))
    outputs = draw(st.lists(PORTS, max_size=4, unique=True))
    return make_step(
        draw(STEPS),
        inputs=tuple(draw(_inputs(number, name, stores)) for number, name in enumerate(inputs)),
        outputs=tuple(draw(_outputs(name, stores)) for name in outputs),
        code=draw(CODES),
        resources=draw(RESOURCES),
        security_context=draw(SECURITY),
        timeout_seconds=draw(st.sampled_from([None, 60])),
    )


@st.composite
def _outputs(draw: st.DrawFn, name: str, stores: list[str]) -> PlannedOutput:
    places = ["/towpath/outputs", f"/out/{name}", "/out/shared"]
    path = f"{draw(st.sampled_from(places))}/{name}"
    return PlannedOutput(name, path, draw(st.sampled_from(stores)), "runs/")


@st.composite
def _inputs(draw: st.DrawFn, number: int, name: str, stores: list[str]) -> PlannedInput:
    content = make_content(name, datastores=tuple(draw(st.sets(st.sampled_from(stores)))))
    inventory = replace(content.inventory, datastore=draw(st.sampled_from(stores)))
    path = draw(st.sampled_from([f"/towpath/inputs/{name}", f"/data/{number}", f"/mnt{number}"]))
    pinned = PinnedVersion("iris", 1, replace(content, inventory=inventory))
    return PlannedInput(name, path, pinned, is_mounted=draw(st.booleans()))
