"""The mover's exit codes and words, and the copies of them in flow, which knows nothing of the mover."""

from __future__ import annotations

from towpath.flow.conditions import StepReason
from towpath.flow.exits import MoverExit
from towpath.flow.ready_reasons import DatasetReason, DatastoreReason
from towpath_mover.exits import Exit
from towpath_mover.failures import Reason


def test_the_copy_of_the_exit_codes_is_exact() -> None:
    assert {code.name: code.value for code in MoverExit} == {code.name: code.value for code in Exit}


def test_every_word_that_is_shown_as_it_stands_is_one_that_movers_say() -> None:
    said = {str(reason) for reason in Reason}
    of_steps = {
        StepReason.OUTPUT_MISSING,
        StepReason.OUTPUT_EMPTY,
        StepReason.INPUT_DRIFT,
        StepReason.OUTPUT_CHANGED,
        StepReason.CODE_DRIFT,
        StepReason.PLAN_DRIFT,
        StepReason.DISK_FULL,
        StepReason.EMPTY_INPUT,
    }
    of_datastores = set(DatastoreReason) - {
        DatastoreReason.READY,
        DatastoreReason.PROBING,
        DatastoreReason.PROBE_FAILED,
        DatastoreReason.NOT_SUPPORTED_YET,
        DatastoreReason.VOLUME_UNAVAILABLE,
    }
    of_datasets = {DatasetReason.SOURCE_NOT_FOUND, DatasetReason.UNSAFE_KEY, DatasetReason.UNSAFE_FILE}

    assert {str(reason) for reason in of_steps | of_datastores | of_datasets} - said == set()
