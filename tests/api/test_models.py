"""The models at their edges: what the API server returns is read, and what is written is as small as can be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from builders import make_dataset, make_datastore, make_pipeline, make_run, make_step
from towpath.api.dataset import Dataset
from towpath.api.datastore import Datastore
from towpath.api.meta import Condition, ConditionStatus
from towpath.api.pipeline import Pipeline
from towpath.api.pipelinerun import PipelineRun
from towpath.api.runstatus import Failures, PipelineRunStatus, StepState, StepStatus
from towpath.api.transforms import Sample

AS_RETURNED = {
    "name": "iris-1",
    "namespace": "team-a",
    "uid": "6f7c",
    "generation": 2,
    "resourceVersion": "42",
    "creationTimestamp": "2026-11-23T03:00:00Z",
    "managedFields": [{"manager": "kubectl", "operation": "Apply"}],
}


def test_what_the_server_returns_is_read() -> None:
    run = PipelineRun.parse(make_run() | {"metadata": AS_RETURNED})
    assert (run.metadata.uid, run.metadata.generation) == ("6f7c", 2)
    assert run.metadata.creation_timestamp == datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert run.spec.pipeline_ref is not None
    assert run.status == PipelineRunStatus()


def test_what_a_newer_version_added_is_ignored() -> None:
    body = make_datastore(invented={"tomorrow": True})
    assert Datastore.parse(body) == Datastore.parse(make_datastore())


def test_an_object_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="Dataset"):
        Dataset.parse(make_datastore())


def test_words_of_python_have_an_underscore_and_words_of_the_api_do_not() -> None:
    step = make_step(
        inputs=[{"name": "raw", "from": {"step": "other"}}],
        outputs=[{"name": "clean", "register": {"name": "clean"}}],
    )
    parsed = Pipeline.parse(make_pipeline("iris", step)).spec.steps[0]
    assert parsed.inputs[0].from_ is not None
    assert parsed.outputs[0].register_ is not None
    assert parsed.as_dict()["inputs"][0]["from"] == {"step": "other"}
    assert parsed.as_dict()["outputs"][0]["register"]["name"] == "clean"


def test_nothing_null_or_empty_is_written() -> None:
    assert Dataset.parse(make_dataset(sources=[])).as_dict()["spec"] == {
        "type": "File",
        "deletionPolicy": "Retain",
    }


def test_an_empty_union_member_is_written() -> None:
    dataset = Dataset.parse(make_dataset(type="Tabular", format={"parquet": {}}))
    assert dataset.as_dict()["spec"]["format"] == {"parquet": {}}


def test_a_union_with_two_members_is_refused_in_words() -> None:
    with pytest.raises(ValidationError, match="exactly one of csv, parquet, jsonLines must be given, not 2"):
        Dataset.parse(make_dataset(type="Tabular", format={"parquet": {}, "jsonLines": {}}))


def test_a_status_holds_only_what_is_not_the_default() -> None:
    step = StepStatus(name="prep", state=StepState.PENDING, failures=Failures(), exit_code=0)
    assert step.as_dict() == {"name": "prep", "exitCode": 0}


def test_times_are_written_in_utc_and_whole_seconds() -> None:
    at = datetime.fromisoformat("2026-11-23T04:00:00.75+01:00")
    condition = Condition(
        type="Ready",
        status=ConditionStatus.TRUE,
        last_transition_time=at,
        reason="Probed",
        message="It works.",
    )
    assert condition.as_dict()["lastTransitionTime"] == "2026-11-23T03:00:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        PipelineRunStatus.model_validate({"startTime": "2026-11-23T03:00:00"})


def test_models_do_not_change() -> None:
    run = PipelineRun.parse(make_run())
    with pytest.raises(ValidationError, match="frozen"):
        run.spec.cancel = True  # type: ignore[misc]


@given(st.one_of(st.integers(0, 100), st.from_regex(r"\A[0-9]{1,2}(\.[0-9]{1,9})?\Z", fullmatch=True)))
def test_a_number_stays_as_it_was_written(percent: int | str) -> None:
    assert Sample.model_validate({"percent": percent}).as_dict()["percent"] == percent


@given(
    st.dictionaries(
        st.from_regex(r"\A[a-z_]{1,20}\Z", fullmatch=True),
        st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)),
        max_size=8,
    )
)
def test_params_pass_through_untouched(params: dict[str, object]) -> None:
    assert PipelineRun.parse(make_run(params=params)).spec.params == params
