"""A run with everything in it that a page can show: branches, reuse, a failure, retries, long and hostile texts."""

from __future__ import annotations

import copy
from typing import Any

import builders
from cli.memory import MemoryBackend
from cli.scenes import namespace, output_entry, plan_of, run_object, step_entry
from flow.sightings import INSTALLATION
from towpath.backend import Container, LogLine
from towpath.flow.documents import write

UID = "99999999-2222-3333-4444-555555555555"


def a_step(
    name: str, *sources: str, outputs: tuple[dict[str, Any], ...] = (), **fields: Any
) -> dict[str, Any]:
    """A step that reads the one output of each of these steps, or the dataset iris."""
    inputs = [{"name": source, "from": {"step": source}} for source in sources] or [{"name": "iris"}]
    written = list(outputs) or [{"name": "data"}]
    return builders.make_step(name, image=INSTALLATION.step_image, inputs=inputs, outputs=written, **fields)


STEPS = (
    a_step("prep", args=["--share", "$(params.share)"]),
    a_step("features", "prep"),
    a_step("embeddings_of_a_long_name", "prep"),
    a_step(
        "train",
        "features",
        "embeddings_of_a_long_name",
        outputs=({"name": "model", "register": {"name": "iris_model"}},),
    ),
    a_step("validate", "features", retries=2),
    a_step("report", "train", "validate", dependsOn=["prep"]),
)


FAILED = {
    "name": "validate",
    "state": "Failed",
    "reason": "ExitCode",
    "attempt": 3,
    "exitCode": 3,
    "message": "the command ended with 3; 2 retries are used up",
    "startTime": "2026-06-01T12:00:40Z",
    "completionTime": "2026-06-01T12:00:58Z",
    "failures": {"user": 3},
    "bytesIn": 2_000_000,
    "stageInSeconds": 0.6,
    "logTail": "Traceback (most recent call last):\n\tvalidate.py, line 12\nValueError: 3 rows differ",
}


def an_output(step: str, **fields: Any) -> dict[str, Any]:
    """What a step of iris-2 published."""
    return output_entry("data", step, "iris-2", "e", **fields)


def taken(step: str) -> dict[str, Any]:
    """A step whose outputs are those of iris-1."""
    entry = step_entry(step, 14, 14, output_entry("data", "embeddings", "iris-1"), attempt=0)
    del entry["stageInSeconds"], entry["bytesIn"], entry["startTime"]
    return entry | {"reusedFrom": {"run": "iris-1", "step": "embeddings"}}


def everything() -> MemoryBackend:
    """A namespace with such a run, `iris-2`, beside the one that it is compared with."""
    backend = namespace()
    plan = plan_of("iris-2", UID, steps=STEPS, params={"share": 90})
    miss = {"reason": "Changed", "components": ["params"], "run": "iris-1"}
    entries = [
        step_entry(
            "prep", 2, 14, an_output("prep", bytes=380_000_000, files=1200, seconds=3.1), reuseMiss=miss
        ),
        step_entry("features", 15, 32, an_output("features"), bytesIn=380_000_000, stageInSeconds=4.0),
        taken("embeddings_of_a_long_name"),
        step_entry(
            "train",
            33,
            55,
            output_entry("model", "train", "iris-2", "f", version=2),
            metrics=[{"name": "accuracy", "value": 0.94}, {"name": "loss", "value": 0.0123}],
            notes=["input features: seed 42 was drawn"],
        ),
        copy.deepcopy(FAILED),
        {
            "name": "report",
            "state": "Skipped",
            "reason": "UpstreamFailed",
            "message": "step validate is Failed",
        },
    ]
    run = run_object(plan, *entries, state="Failed", message="step validate failed: the command ended with 3")
    backend.hold(run)
    backend.plans["iris-2"] = write(plan)
    backend.lines = [LogLine("prep", 1, Container.STEP, f"row {number} of 150") for number in range(60)]
    return backend
