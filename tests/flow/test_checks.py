"""Whether a pipeline fits together: each mistake is refused with what is wrong, where, and what to write."""

from __future__ import annotations

from typing import Any

import pytest

import builders
from flow.sightings import NOON, a_pipeline
from towpath.api.pipeline import PipelineSpec
from towpath.flow.checks import check_pipeline
from towpath.flow.pipeline_flow import decide_pipeline
from towpath.flow.stalled import StalledError

STEP = builders.make_step
MISTAKES: list[tuple[list[dict[str, Any]], str]] = [
    ([STEP(command=[], outputs=[{"name": "a"}])], "no command"),
    ([STEP(command=[], timeoutSeconds=5)], "no command"),
    ([STEP(args=["$(inputs.iris.path)"])], "$(inputs.iris.path) refers to nothing"),
    ([STEP(args=["$(outputs.modl.path)"], outputs=[{"name": "model"}])], "Did you mean outputs.model.path?"),
    ([STEP(env=[{"name": "X", "value": "$(params.rate)"}])], "$(params.rate) refers to nothing"),
    ([STEP(inputs=[{"name": "x", "dataset": {"name": "$(params.y)"}}])], "Step prep, input x"),
    ([STEP(inputs=[{"name": "x", "from": {"step": "nope"}}])], "waits for the step nope"),
    ([STEP("a"), STEP("b", inputs=[{"name": "x", "from": {"step": "a"}}])], "has 0 outputs"),
    (
        [
            STEP("a", outputs=[{"name": "one"}, {"name": "two"}]),
            STEP("b", inputs=[{"name": "x", "from": {"step": "a"}}]),
        ],
        "step a has 2 outputs: say `output`. There is one, two.",
    ),
    (
        [
            STEP("a", outputs=[{"name": "model"}]),
            STEP("b", inputs=[{"name": "x", "from": {"step": "a", "output": "modle"}}]),
        ],
        "step a has no output modle. Did you mean model?",
    ),
    ([STEP(inputs=[{"name": "x", "mountPath": "/towpath/bin"}])], "belongs to the system"),
    ([STEP(inputs=[{"name": "x", "mountPath": "/usr"}])], "belongs to the system"),
    ([STEP(inputs=[{"name": "x", "mountPath": "/proc/x"}])], "belongs to the system"),
    (
        [STEP(inputs=[{"name": "x", "mountPath": "/data"}, {"name": "y", "mountPath": "/data/y"}])],
        "of the input x (/data) and the input y (/data/y) one lies in the other",
    ),
    ([STEP(outputs=[{"name": "x", "mountPath": "/towpath/x"}])], "output x: mountPath /towpath/x belongs"),
    ([STEP(outputs=[{"name": "x", "mountPath": "/etc/x", "makeDirectory": True}])], "belongs to the system"),
    ([STEP(outputs=[{"name": "x", "mountPath": "/model"}])], "would hide what the image has in /,"),
    ([STEP(outputs=[{"name": "x", "mountPath": "/usr/local/x"}])], "has in /usr/local,"),
    ([STEP(outputs=[{"name": "x", "mountPath": "/var/x"}])], "would hide what the image has in /var,"),
    (
        [STEP(outputs=[{"name": "x", "mountPath": "/data/x"}, {"name": "y", "mountPath": "/data/x"}])],
        "of the output x (/data/x) and the output y (/data/x) one lies in the other",
    ),
    (
        [STEP(outputs=[{"name": "x", "mountPath": "/data/x"}, {"name": "y", "mountPath": "/data/x/y"}])],
        "of the output x (/data/x) and the output y (/data/x/y) one lies in the other",
    ),
    (
        [STEP(inputs=[{"name": "x", "mountPath": "/data/x"}], outputs=[{"name": "y", "mountPath": "/data"}])],
        "of the input x (/data/x) and the output y (/data) one lies in the other",
    ),
    (
        [STEP(inputs=[{"name": "x", "mountPath": "/data"}], outputs=[{"name": "y", "mountPath": "/data/y"}])],
        "of the input x (/data) and the output y (/data/y) one lies in the other",
    ),
    ([STEP("a", dependsOn=["a"])], "a → a"),
]


@pytest.mark.parametrize(("steps", "words"), MISTAKES)
def test_a_mistake_is_refused_with_what_is_wrong(steps: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(StalledError) as caught:
        check_pipeline(a_pipeline(*steps).spec)

    assert words in caught.value.message


def test_a_plain_step_needs_no_command() -> None:
    assert check_pipeline(a_pipeline(STEP(command=[])).spec) == ("prep",)


def test_inputs_beside_one_another_may_have_names_that_begin_alike() -> None:
    inputs = [{"name": "x", "mountPath": "/data"}, {"name": "y", "mountPath": "/data2"}]

    check_pipeline(a_pipeline(STEP(inputs=inputs)).spec)


def test_outputs_may_lie_beside_each_other_and_beside_inputs() -> None:
    inputs = [{"name": "x", "mountPath": "/data/x"}]
    outputs = [{"name": "y", "mountPath": "/data/y"}, {"name": "z", "mountPath": "/data/z"}, {"name": "w"}]
    made = {"name": "model", "mountPath": "/opt/ml/model", "makeDirectory": True}

    check_pipeline(a_pipeline(STEP(inputs=inputs, outputs=[*outputs, made])).spec)


def test_a_pipeline_says_whether_it_is_ready_and_says_it_once() -> None:
    body = builders.make_pipeline("iris", *builders.make_chain("a", "b"))
    body["metadata"]["generation"] = 3
    pipeline = type(a_pipeline()).parse(body)

    status = decide_pipeline(pipeline, NOON)

    assert status is not None
    assert status["conditions"][0] == {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "2 steps fit together",
        "observedGeneration": 3,
        "lastTransitionTime": "2026-06-01T12:00:00Z",
    }
    assert decide_pipeline(type(pipeline).parse(body | {"status": status}), NOON) is None


def test_a_pipeline_that_does_not_fit_or_is_not_honoured_says_so() -> None:
    broken = decide_pipeline(a_pipeline(STEP(args=["$(params.x)"])), NOON)
    snapshot = {"snapshot": {"datastore": "d", "path": "c", "digest": builders.DIGEST}}
    sharded = decide_pipeline(a_pipeline(STEP(code=snapshot)), NOON)

    assert broken is not None
    assert sharded is not None
    assert broken["conditions"][0]["reason"] == "InvalidPipeline"
    assert sharded["conditions"][0]["reason"] == "NotSupportedYet"


def test_shards_that_cannot_be_are_refused_by_name() -> None:
    iris = [{"name": "iris"}]
    index = STEP(inputs=iris, args=["$(JOB_COMPLETION_INDEX)"], shards={"input": "iris", "count": 2})
    many = [STEP(f"s{number}", inputs=iris, shards={"input": "iris", "count": 4096}) for number in range(5)]

    said = [decide_pipeline(a_pipeline(*steps), NOON) for steps in ([index], many)]

    conditions = [status["conditions"][0] for status in said if status]
    assert [one["reason"] for one in conditions] == ["InvalidPipeline", "InvalidPipeline"]
    assert "Let the command read TOWPATH_SHARD" in conditions[0]["message"]
    assert "20480 shards together, and a run may have 16384" in conditions[1]["message"]


def test_ports_may_lie_below_the_working_directory() -> None:
    outputs = [{"name": "out", "mountPath": "/towpath/work/out", "makeDirectory": True}]
    inputs = [{"name": "raw", "mountPath": "/towpath/work/days/monday"}]
    assert check_pipeline(a_spec(STEP(inputs=inputs, outputs=outputs))) == ("prep",)


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ({"mountPath": "/towpath/work/out"}, "would hide the working directory. Say makeDirectory: true"),
        ({"mountPath": "/towpath/work/.home", "makeDirectory": True}, "belongs to the system"),
        ({"mountPath": "/towpath/work", "makeDirectory": True}, "belongs to the system"),
    ],
)
def test_the_working_directory_itself_and_what_is_ours_in_it_are_refused(
    output: dict[str, Any], says: str
) -> None:
    with pytest.raises(StalledError, match=says):
        check_pipeline(a_spec(STEP(outputs=[{"name": "out", **output}])))


def a_spec(*steps: dict[str, Any]) -> PipelineSpec:
    return PipelineSpec.model_validate(builders.make_pipeline_spec(*steps))
