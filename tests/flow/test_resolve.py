"""A run's references become facts, or it says what it waits for, or why it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import builders
from flow.sightings import (
    LIMITS,
    NOON,
    a_datastore,
    a_pipeline,
    a_run,
    a_version,
    later,
    ready,
    sources,
)
from towpath.api.dataset import Dataset
from towpath.api.datastore import Datastore
from towpath.flow.conditions import RunReason
from towpath.flow.contents import PinnedVersion
from towpath.flow.resolve import resolve, what_is_needed
from towpath.flow.sources import Refused, Resolved, Sources, Waiting

READS = builders.make_step(inputs=[{"name": "iris"}])


def resolved(read: Sources, seconds: float = 0) -> Resolved:
    """The facts; the run must have them."""
    outcome = resolve(read, later(seconds), LIMITS)
    assert isinstance(outcome, Resolved), outcome
    return outcome


def refused(read: Sources, seconds: float = 0) -> Refused:
    """The refusal; the run must be refused."""
    outcome = resolve(read, later(seconds), LIMITS)
    assert isinstance(outcome, Refused), outcome
    return outcome


def waiting(read: Sources, seconds: float = 0) -> Waiting:
    """What it waits for; the run must wait."""
    outcome = resolve(read, later(seconds), LIMITS)
    assert isinstance(outcome, Waiting), outcome
    return outcome


def version_read(read: Sources, step: str, name: str) -> PinnedVersion:
    """The version that an input has pinned."""
    pinned = resolved(read).pins[step, name]
    assert isinstance(pinned, PinnedVersion)
    return pinned


def reading(**given: Any) -> dict[str, Any]:
    """A step with one input."""
    return builders.make_step(inputs=[{"name": "data"} | given])


def test_an_input_that_says_nothing_is_the_dataset_of_its_name_in_its_latest_version() -> None:
    read = sources(READS, versions={"iris": (a_version(version=2), a_version(version=3), a_version())})

    assert version_read(read, "prep", "iris").version == 3


def test_two_inputs_of_a_run_read_the_same_latest_version() -> None:
    read = sources(READS, builders.make_step("b", inputs=[{"name": "other", "dataset": {"name": "iris"}}]))

    found = resolved(read)

    assert found.pins["prep", "iris"] == found.pins["b", "other"]


@pytest.mark.parametrize(
    "dataset",
    [
        {"name": "iris@1"},
        {"name": "iris", "version": 1},
        {"name": "Iris", "version": "1"},
        {"name": "$(params.data)"},
    ],
)
def test_a_version_may_be_asked_for_by_number(dataset: dict[str, Any]) -> None:
    versions = {"iris": (a_version(), a_version(version=2))}
    params = [{"name": "data", "default": "iris@1"}]
    read = sources(versions=versions, pipeline=a_pipeline(reading(dataset=dataset), params=params))

    assert version_read(read, "prep", "data").version == 1


def test_a_given_name_with_an_underscore_finds_its_object() -> None:
    read = sources(
        reading(dataset={"name": "Training_Data", "version": 1}),
        versions={"training-data": (a_version("training-data"),)},
    )

    assert version_read(read, "prep", "data").dataset == "training-data"


def test_two_given_names_of_one_object_are_an_error_that_names_both() -> None:
    steps = [
        reading(dataset={"name": "Iris"}),
        builders.make_step("b", inputs=[{"name": "x", "dataset": {"name": "IRIS"}}]),
    ]

    outcome = refused(sources(*steps))

    assert outcome.reason is RunReason.INVALID_PIPELINE
    assert "IRIS and Iris both mean the Dataset iris" in outcome.message


def test_a_missing_dataset_is_waited_for_and_then_refused_with_near_names() -> None:
    read = sources(reading(dataset={"name": "irs"}))

    held = waiting(read, 29)
    assert held.check_after_seconds == 1
    assert held.message == (
        "Dataset irs does not exist. Did you mean iris or irises? The run waits 30 s for it."
    )
    outcome = refused(read, 30)
    assert outcome.reason is RunReason.NOT_FOUND
    assert outcome.message == "Dataset irs does not exist. Did you mean iris or irises?"


def test_a_missing_version_datastore_pipeline_or_config_map_is_waited_for_and_then_refused() -> None:
    code = builders.make_step(code={"configMapRef": {"name": "code-x"}})
    cases = [
        (sources(reading(dataset={"name": "iris@9"})), "DatasetVersion iris@9", "iris@1"),
        (sources(READS, datastores={}), "Datastore default", ""),
        (sources(READS, pipeline=None), "Pipeline iris", ""),
        (sources(code), "ConfigMap code-x", "the code of step prep"),
    ]
    for read, name, hint in cases:
        assert name in waiting(read, 10).message
        outcome = refused(read, 31)
        assert outcome.reason is RunReason.NOT_FOUND
        assert name in outcome.message
        assert hint in outcome.message


def test_a_datastore_that_is_not_ready_holds_the_run_and_is_asked_for_a_new_look() -> None:
    refusing = Datastore.parse(ready(builders.make_datastore(), status="False"))
    read = sources(READS, datastores={"default": refusing})

    outcome = waiting(read, 3500)

    assert outcome.reason is RunReason.WAITING
    assert outcome.message == "Datastore default is not Ready: CredentialsRefused: as AKIA: 403"
    assert (outcome.ask, outcome.look_after) == ((("Datastore", "default"),), NOON)
    assert outcome.check_after_seconds == 30
    late = refused(read, 3600)
    assert late.reason is RunReason.NOT_READY
    assert "storeTimeoutSeconds" in late.message


def test_a_condition_that_was_said_of_an_earlier_spec_does_not_count() -> None:
    read = sources(
        READS, datastores={"default": Datastore.parse(ready(builders.make_datastore(), generation=2))}
    )

    assert waiting(read).message == "Datastore default is not Ready: it has not been looked at yet."


def test_a_dataset_without_a_version_holds_the_run() -> None:
    body = ready(builders.make_dataset(sources=[]), status="False")
    read = sources(READS, datasets={"iris": Dataset.parse(body)}, versions={})

    assert waiting(read).ask == (("Dataset", "iris"),)


def test_a_version_asked_for_by_number_needs_no_dataset() -> None:
    read = sources(reading(dataset={"name": "iris@1"}), datasets={})

    assert version_read(read, "prep", "data").version == 1


def test_the_datastores_of_versions_and_outputs_are_planned_without_any_credential() -> None:
    read = sources(
        builders.make_step(inputs=[{"name": "iris"}], outputs=[{"name": "a", "datastore": "fast"}]),
        datastores={"default": a_datastore(readOnly=True), "fast": a_datastore("fast")},
    )

    default, fast = resolved(read).datastores

    assert (default.name, default.read_only, fast.name) == ("default", True, "fast")
    assert fast.credentials_secret == "minio-creds"
    assert fast.location == {
        "endpoint": "http://minio.data:9000",
        "bucket": "ml-data",
        "prefix": "team-a/",
        "createBucket": False,
    }


def test_an_output_in_a_read_only_datastore_is_refused() -> None:
    read = sources(
        builders.make_step(outputs=[{"name": "a"}]), datastores={"default": a_datastore(readOnly=True)}
    )

    assert refused(read).reason is RunReason.READ_ONLY


def test_an_input_without_files_is_refused_unless_it_is_allowed() -> None:
    empty = {"iris": (a_version(files=0, bytes=0),)}

    assert refused(sources(READS, versions=empty)).reason is RunReason.EMPTY_INPUT
    resolved(sources(builders.make_step(inputs=[{"name": "iris", "allowEmpty": True}]), versions=empty))


def test_inputs_that_exceed_the_disk_are_refused_with_the_numbers() -> None:
    outcome = resolve(sources(READS), NOON, replace(LIMITS, max_scratch_bytes=4095))

    assert isinstance(outcome, Refused)
    assert outcome.reason is RunReason.TOO_LARGE
    assert "4096" in outcome.message
    assert "4095" in outcome.message


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"sources": [{"path": "x"}]}, "gets its versions from its sources"),
        ({"sources": [], "type": "Tabular", "format": {"csv": {}}}, "is of type Tabular, not File"),
    ],
)
def test_a_dataset_that_takes_no_versions_from_runs_refuses_them(spec: dict[str, Any], words: str) -> None:
    step = builders.make_step(outputs=[{"name": "m", "register": {"name": "Model"}}])
    model = Dataset.parse(ready(builders.make_dataset("model", **spec)))

    outcome = refused(sources(step, datasets={"model": model}))

    assert words in outcome.message


def test_a_field_that_is_not_honoured_yet_is_refused_by_name() -> None:
    code = {"snapshot": {"datastore": "d", "path": "c", "digest": builders.DIGEST}}
    outcome = refused(sources(builders.make_step(inputs=[{"name": "iris"}], code=code)))

    assert outcome.reason is RunReason.NOT_SUPPORTED_YET
    assert "spec.steps[0].code.snapshot" in outcome.message


def test_params_are_checked_before_anything_is_looked_for() -> None:
    read = sources(READS, run=a_run(params={"nope": 1}), datasets={}, versions={})

    assert refused(read).reason is RunReason.INVALID_PARAMS


def test_a_run_cancelled_before_it_started_never_starts() -> None:
    assert refused(sources(READS, run=a_run(cancel=True))).reason is RunReason.CANCELLED


def test_waiting_counts_towards_the_runs_timeout() -> None:
    read = sources(READS, run=a_run(timeoutSeconds=20), datastores={})

    assert waiting(read, 19).reason is RunReason.WAITING
    assert refused(read, 20).reason is RunReason.TIMED_OUT


def test_the_runs_timeout_wins_over_the_pipelines() -> None:
    pipeline = a_pipeline(READS, timeoutSeconds=10)

    assert resolved(sources(pipeline=pipeline)).timeout_seconds == 10
    assert resolved(sources(pipeline=pipeline, run=a_run(timeoutSeconds=99))).timeout_seconds == 99


def test_what_is_needed_names_every_object() -> None:
    pipeline = a_pipeline(
        builders.make_step(
            inputs=[{"name": "iris"}, {"name": "b", "dataset": {"name": "$(params.set)@2"}}],
            outputs=[{"name": "m", "register": {"name": "My_Model"}}, {"name": "n", "datastore": "fast"}],
            code={"configMapRef": {"name": "code-x"}},
        ),
        params=[{"name": "set", "default": "Other_Set"}],
    )

    needed = what_is_needed(a_run(), pipeline)

    assert needed.datasets == ("iris", "my-model", "other-set")
    assert needed.datastores == ("default", "fast")
    assert needed.config_maps == ("code-x",)
    assert what_is_needed(a_run(), None).datasets == ()


def test_a_code_digest_is_the_same_inline_and_from_a_config_map() -> None:
    inline = resolved(sources(builders.make_step(code={"inline": {"a.py": "print(1)"}})))

    assert inline.code_digests["prep"].startswith("sha256:")
    mapped = sources(builders.make_step(code={"configMapRef": {"name": "c"}}), config_maps={"c": "sha256:x"})
    assert resolved(mapped).code_digests == {"prep": "sha256:x"}


def test_nothing_is_decided_by_the_clock_but_patience() -> None:
    read = sources(READS)

    assert resolve(read, NOON, LIMITS) == resolve(read, later(5000), LIMITS)
