"""A Datastore is probed when it is new, changed, asked for, or not Ready; its condition says what the probe found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import builders
from flow.sightings import LIMITS, NOON, a_pod, container, failure_report
from towpath.api.datastore import Datastore, DatastoreStatus
from towpath.flow.datastore_flow import Asked, DatastoreDecision, ask_of, decide_datastore, with_mover
from towpath.flow.observed import ObservedMover, ObservedPod
from towpath.flow.verdicts import Moment

WELL = json.dumps(
    {"formatVersion": 1, "ready": True, "message": "Listed, wrote, read back and deleted an object."}
)


def a_datastore(status: dict[str, Any] | None = None, requested: str | None = None, **spec: Any) -> Datastore:
    """A Datastore with the status given."""
    body = builders.make_datastore("default", **spec)
    body["metadata"] |= {"uid": "u", "generation": 1}
    if requested is not None:
        body["metadata"]["annotations"] = {"towpath.dev/requested-at": requested}
    return Datastore.parse(body | {"status": status or {}})


def decided(
    datastore: Datastore,
    *probes: ObservedMover,
    seconds: float = 0,
    is_asked: bool = False,
    wanted_after: float | None = None,
) -> DatastoreDecision:
    """What is decided so many seconds after noon; a probe up to `wanted_after` is of no use."""
    asked = Asked(is_asked, None if wanted_after is None else NOON + timedelta(seconds=wanted_after))
    moment = Moment(NOON + timedelta(seconds=seconds), LIMITS)
    return decide_datastore(datastore, probes, asked, moment)


def probe(datastore: Datastore, pod: ObservedPod | None = None, **fields: Any) -> ObservedMover:
    """The Job that answers what is asked of this Datastore now."""
    return ObservedMover("probe-job", ask_of(datastore), NOON, pod, **fields)


def ended(datastore: Datastore, exit_code: int, text: str | None) -> ObservedMover:
    """A probe that has ended."""
    return probe(datastore, a_pod(container("probe", exit_code, message=text)))


def looked_at(datastore: Datastore, probe_: ObservedMover, seconds: float = 0) -> Datastore:
    """The Datastore after its probe's end was written."""
    status = decided(datastore, probe_, seconds=seconds).status
    assert status is not None
    DatastoreStatus.model_validate(status)
    return datastore.model_copy(update={"status": DatastoreStatus.model_validate(status)})


def test_a_new_datastore_is_probed_and_says_so() -> None:
    decision = decided(a_datastore())

    assert decision.probe is not None
    assert decision.status is not None
    condition = decision.status["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("Unknown", "Probing")


def test_a_probe_that_ended_well_makes_it_ready_and_it_stays_so_without_another() -> None:
    new = a_datastore()

    ready = looked_at(new, ended(new, 0, WELL))

    condition = ready.status.conditions[0]
    assert (condition.status, condition.reason, condition.observed_generation) == ("True", "Ready", 1)
    assert condition.message == "Listed, wrote, read back and deleted an object."
    assert decided(ready, seconds=10_000) == DatastoreDecision()


@pytest.mark.parametrize(
    ("exit_code", "text", "reason", "words"),
    [
        (
            44,
            failure_report("CredentialsRefused", "as AKIA at http://x: 403"),
            "CredentialsRefused",
            "as AKIA",
        ),
        (41, failure_report("BucketNotFound", "no bucket b"), "BucketNotFound", "no bucket b"),
        (41, failure_report("SomethingNew", "m"), "ProbeFailed", "SomethingNew: m"),
        (1, None, "ProbeFailed", "exit code 1"),
        (0, "garbage", "ProbeFailed", "left no report"),
        (0, failure_report("Ready", "m"), "ProbeFailed", "Ready: m"),
    ],
)
def test_a_probe_that_failed_says_what_failed(
    exit_code: int, text: str | None, reason: str, words: str
) -> None:
    new = a_datastore()

    condition = looked_at(new, ended(new, exit_code, text)).status.conditions[0]

    assert (condition.status, condition.reason) == ("False", reason)
    assert words in condition.message


def test_while_not_ready_it_is_probed_again_with_growing_pauses() -> None:
    datastore, seconds, pauses = a_datastore(), 0.0, []
    for _ in range(9):
        datastore = looked_at(datastore, ended(datastore, 44, failure_report("CredentialsRefused")), seconds)
        pause = decided(datastore, seconds=seconds).check_after_seconds
        assert pause is not None
        pauses.append(pause)
        assert decided(datastore, seconds=seconds + pause - 1).probe is None
        seconds += pause
        assert decided(datastore, seconds=seconds).probe is not None

    assert pauses == [5, 5, 10, 20, 40, 80, 160, 300, 300]


def test_while_something_waits_for_it_the_pauses_stay_short() -> None:
    datastore = a_datastore()
    for seconds in (0.0, 5.0, 10.0, 20.0, 40.0, 80.0):
        datastore = looked_at(datastore, ended(datastore, 44, failure_report("CredentialsRefused")), seconds)

    assert decided(datastore, seconds=100).probe is None
    assert decided(datastore, seconds=100, is_asked=True).probe is not None
    assert decided(datastore, seconds=99, is_asked=True).probe is None


def test_a_new_probe_takes_the_place_of_those_that_have_ended() -> None:
    datastore = a_datastore()
    refused = ended(datastore, 44, failure_report("CredentialsRefused"))
    datastore = looked_at(datastore, refused)

    assert decided(datastore, refused, seconds=4).delete == ()
    again = decided(datastore, refused, seconds=5)
    assert (again.probe, again.delete) == (ask_of(datastore), ("probe-job",))


def test_a_ready_datastore_is_not_probed_because_it_is_named() -> None:
    new = a_datastore()

    assert decided(looked_at(new, ended(new, 0, WELL)), seconds=99, is_asked=True).probe is None


def test_a_ready_datastore_is_probed_when_a_step_was_refused_there_after_its_last_probe() -> None:
    new = a_datastore()
    ready = looked_at(new, ended(new, 0, WELL), seconds=10)

    assert decided(ready, seconds=60, wanted_after=9).probe is None
    assert decided(ready, seconds=10.5, wanted_after=10).check_after_seconds == 0.5
    again = decided(ready, seconds=60, wanted_after=60 - 1)
    assert (again.probe, again.status) == (ask_of(ready), None)
    refused = looked_at(ready, ended(ready, 44, failure_report("CredentialsRefused")), seconds=63)
    assert refused.status.conditions[0].reason == "CredentialsRefused"
    assert decided(refused, seconds=64, wanted_after=59).probe is None
    proven = looked_at(ready, ended(ready, 0, WELL), seconds=63)
    assert decided(proven, seconds=64, wanted_after=59).probe is None


def test_being_named_asks_for_a_new_look_at_once_where_the_last_answer_is_stale() -> None:
    datastore = a_datastore()
    for seconds in (0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0):
        datastore = looked_at(datastore, ended(datastore, 44, failure_report("CredentialsRefused")), seconds)

    assert decided(datastore, seconds=200).check_after_seconds == 120
    assert decided(datastore, seconds=200, is_asked=True).probe is not None


def test_a_run_that_comes_after_the_last_probe_is_not_held_by_its_pause() -> None:
    datastore = a_datastore()
    for seconds in (0.0, 300.0):
        datastore = looked_at(datastore, ended(datastore, 44, failure_report("CredentialsRefused")), seconds)

    assert decided(datastore, seconds=303, is_asked=True).probe is None
    assert decided(datastore, seconds=303, is_asked=True, wanted_after=302).probe is not None
    assert decided(datastore, seconds=303, is_asked=True, wanted_after=299).probe is None


def test_a_changed_annotation_asks_at_once_while_a_pause_is_long() -> None:
    datastore = a_datastore()
    for seconds in (0.0, 300.0):
        datastore = looked_at(datastore, ended(datastore, 44, failure_report("CredentialsRefused")), seconds)

    assert decided(datastore, seconds=301).probe is None
    asked = a_datastore(datastore.status.as_dict(), requested="now")
    assert decided(asked, seconds=301).probe is not None


def test_a_changed_annotation_or_spec_asks_at_once() -> None:
    new = a_datastore()
    ready = looked_at(new, ended(new, 0, WELL))
    status = ready.status.as_dict()

    asked = a_datastore(status, requested="now")
    assert decided(asked).probe is not None
    answered = looked_at(asked, ended(asked, 0, WELL))
    assert answered.status.requested_at == "now"
    assert decided(answered).probe is None
    taken_back = a_datastore(answered.status.as_dict())
    again = looked_at(taken_back, ended(taken_back, 0, WELL))
    assert again.status.requested_at is None
    assert decided(again).probe is None
    changed = ready.model_copy(update={"metadata": ready.metadata.model_copy(update={"generation": 2})})
    assert decided(changed).probe is not None


def test_the_answer_to_an_old_question_is_not_taken() -> None:
    new = a_datastore()
    old = probe(new, a_pod(container("probe")))
    changed = new.model_copy(update={"metadata": new.metadata.model_copy(update={"generation": 2})})

    decision = decided(changed, old)

    assert decision.probe == ask_of(changed)
    assert decision.delete == ("probe-job",)
    answered = ended(new, 44, failure_report("CredentialsRefused"))
    assert decided(changed, answered) == decision


def test_a_probe_under_way_is_not_made_twice() -> None:
    new = a_datastore()

    assert decided(new, probe(new, a_pod(container("probe")))).probe is None


def test_a_probe_that_does_not_start_says_why_and_is_given_up() -> None:
    new = a_datastore()
    waiting = a_pod(container("probe", state="waiting", reason="ErrImagePull", message="no such image"))

    shown = decided(new, probe(new, waiting), seconds=12)
    assert shown.status is not None
    assert shown.status["conditions"][0]["message"] == "ErrImagePull: no such image"
    given_up = decided(new, probe(new, waiting), seconds=300)
    assert given_up.status is not None
    assert given_up.status["conditions"][0]["reason"] == "ProbeFailed"
    assert given_up.delete == ("probe-job",)


def test_a_probe_without_a_pod_is_asked_about() -> None:
    new = a_datastore()

    assert decided(new, probe(new), seconds=4).ask_admission == ()
    assert decided(new, probe(new), seconds=5).ask_admission == ("probe-job",)


WAITING = a_pod(container("probe", state="waiting", reason="ContainerCreating"))
NO_CLAIM = '0/1 nodes are available: persistentvolumeclaim "data" not found.'
NO_FOLDER = container(
    "probe",
    state="waiting",
    reason="CreateContainerConfigError",
    message='failed to create subPath directory for volumeMount "claim-0"',
)


@pytest.mark.parametrize(
    "pod",
    [
        replace(WAITING, unschedulable=NO_CLAIM),
        replace(WAITING, warning="FailedMount: MountVolume.SetUp failed: no such path"),
        a_pod(NO_FOLDER),
    ],
)
def test_a_claim_that_keeps_its_probe_from_starting_is_told_at_once_whatever_was_seen_before(
    pod: ObservedPod,
) -> None:
    new = a_datastore(persistentVolumeClaim={"claimName": "data"})
    ready = looked_at(new, ended(new, 0, WELL))
    asked = a_datastore(ready.status.as_dict(), requested="now", persistentVolumeClaim={"claimName": "data"})

    for datastore in (new, asked):
        shown = looked_at(datastore, probe(datastore, pod), seconds=1)
        condition = shown.status.conditions[0]
        assert (condition.status, condition.reason) == ("False", "VolumeUnavailable")
        assert condition.message in (NO_CLAIM, pod.warning, f"{NO_FOLDER.reason}: {NO_FOLDER.message}")
        assert decided(shown, probe(datastore, pod), seconds=2).status is None
    given_up = looked_at(new, probe(new, pod), seconds=300)
    assert given_up.status.conditions[0].reason == "VolumeUnavailable"
    assert given_up.status.observed_at is not None


def test_what_keeps_a_probe_from_starting_for_another_cause_is_not_laid_on_the_volume() -> None:
    new = a_datastore(persistentVolumeClaim={"claimName": "data"})
    busy = replace(WAITING, unschedulable="0/1 nodes are available: 1 Insufficient cpu.")

    condition = looked_at(new, probe(new, busy), seconds=1).status.conditions[0]

    assert (condition.status, condition.reason) == ("Unknown", "Probing")
    assert "Insufficient cpu" in condition.message


@pytest.mark.parametrize("reason", ["ReadOnly", "StoreFull", "PermissionDenied"])
def test_what_a_probe_found_on_a_volume_is_its_reason(reason: str) -> None:
    new = a_datastore(persistentVolumeClaim={"claimName": "data"})

    condition = looked_at(new, ended(new, 41, failure_report(reason, "m"))).status.conditions[0]

    assert (condition.status, condition.reason, condition.message) == ("False", reason, "m")


def test_without_a_secret_the_condition_warns_that_user_code_has_the_identity_too() -> None:
    s3 = builders.make_s3()
    del s3["credentialsSecretRef"]
    new = a_datastore(s3=s3)

    assert "which the user's code has too" in looked_at(new, ended(new, 0, WELL)).status.conditions[0].message


def test_a_new_datastore_whose_probes_job_is_refused_says_why_and_goes_on_being_probed() -> None:
    new = a_datastore()
    moment, words = Moment(NOON, LIMITS), "exceeded quota: strict"

    decision = decide_datastore(new, (), Asked(refused={ask_of(new): words}), moment)

    assert decision.status is not None
    said = decision.status["conditions"][0]
    assert (said["status"], said["reason"]) == ("Unknown", "Probing")
    assert said["message"] == f"the Job is refused: {words}"
    assert decision.probe == ask_of(new)


def test_the_status_says_of_what_movers_are_made_as_soon_as_it_says_anything_and_when_that_changes() -> None:
    new, old, upgraded = a_datastore(), {"image": "towpath:1"}, {"image": "towpath:2"}
    first = with_mover(decided(new), new, old)
    assert first.probe is not None
    assert first.status is not None
    assert (first.status["mover"], first.status["conditions"][0]["reason"]) == (old, "Probing")
    ready = looked_at(new, ended(new, 0, WELL))
    told = with_mover(decided(ready), ready, old).status
    assert told == ready.status.as_dict() | {"mover": old}
    ready = ready.model_copy(update={"status": DatastoreStatus.model_validate(told)})
    assert with_mover(decided(ready), ready, old).status is None
    again = with_mover(decided(ready), ready, upgraded)
    assert again.status == ready.status.as_dict() | {"mover": upgraded}
    assert again.probe is None


def test_a_datastore_of_which_nothing_is_known_gets_no_status_for_its_mover_alone() -> None:
    new = a_datastore()
    assert with_mover(DatastoreDecision(), new, {"image": "towpath:1"}).status is None
