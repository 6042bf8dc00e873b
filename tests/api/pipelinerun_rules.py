"""What a PipelineRun may say, and become: each rule with a good and a bad object."""

from __future__ import annotations

from api.judge import Case, Change
from builders import make_pipeline_spec, make_run, make_step

IRIS = {"name": "iris"}
ONE_OF = "exactly one of pipelineRef, pipelineSpec and retryOf"
FIXED = "the spec of a run never changes, but for cancel"
SHARE = {"share": 90.5}

RULES = [
    Case(
        "a run has a pipeline",
        make_run(),
        make_run(pipelineRef=IRIS, pipelineSpec=make_pipeline_spec()),
        ONE_OF,
    ),
    Case(
        "a run has something to run",
        make_run(pipelineSpec=make_pipeline_spec()),
        make_run() | {"spec": {}},
        ONE_OF,
    ),
    Case(
        "a retry has no pipeline of its own",
        make_run(retryOf=IRIS),
        make_run(retryOf=IRIS, pipelineRef=IRIS),
        ONE_OF,
    ),
    Case(
        "a retry has no params of its own",
        make_run(params=SHARE),
        make_run(retryOf=IRIS, params=SHARE),
        "retryOf runs the same plan with the same params again",
    ),
    Case(
        "an inline pipeline keeps its steps' rules",
        make_run(pipelineSpec=make_pipeline_spec(make_step())),
        make_run(pipelineSpec=make_pipeline_spec({"name": "prep", "inputs": [IRIS]})),
        "command is required in a step",
    ),
    Case(
        "params are any values",
        make_run(params={"share": 0.9, "name": "a", "deep": True, "epochs": 3}),
        make_run(params={f"p{number}": 1 for number in range(129)}),
        "spec.params: Too many: 129: must have at most 128 items",
    ),
    Change(
        "a run keeps its pipeline",
        make_run(cancel=True),
        make_run(pipelineRef={"name": "roses"}),
        FIXED,
        before=make_run(),
    ),
    Change(
        "a run keeps its params",
        make_run(params=SHARE, cancel=True),
        make_run(params={"share": 10}),
        FIXED,
        before=make_run(params=SHARE),
    ),
    Change(
        "a run keeps the params it was not given",
        make_run(cancel=True),
        make_run(params=SHARE),
        FIXED,
        before=make_run(),
    ),
    Change(
        "a run keeps its inline steps",
        make_run(pipelineSpec=make_pipeline_spec(), cancel=True),
        make_run(pipelineSpec=make_pipeline_spec(make_step("other"))),
        FIXED,
        before=make_run(pipelineSpec=make_pipeline_spec()),
    ),
    Change("a run keeps how it runs", make_run(cancel=True), make_run(reuse=False), FIXED, before=make_run()),
    Change(
        "cancel is not taken back",
        make_run(cancel=True),
        make_run(cancel=False),
        "cancel only goes to true",
        before=make_run(cancel=True),
    ),
]
