"""Datasets that are looked at: the looks that have ended, what is decided then, and the status after it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import builders
from flow import sightings
from flow.sightings import LIMITS, NOON, a_pod, container
from towpath.api.dataset import Dataset, DatasetStatus
from towpath.api.datasetversion import DatasetVersion
from towpath.flow.dataset_flow import DatasetDecision, ask_of, decide_dataset
from towpath.flow.dataset_status import DatasetSources
from towpath.flow.observed import ObservedMover
from towpath.flow.verdicts import Moment


def digest(letter: str) -> str:
    """A digest."""
    return "sha256:" + letter * 64


def found(letter: str) -> str:
    """The report of an inventory whose digest is of this letter."""
    inventory = {"datastore": "default", "path": "team-a/inventories/x.jsonl.gz", "digest": digest(letter)}
    sizes = {"files": 1, "bytes": 3858, "scratchBytes": 4096, "directory": False, "file": "iris.csv"}
    return json.dumps({"formatVersion": 1, "inventory": inventory, **sizes, "datastores": ["default"]})


def a_dataset(**spec: Any) -> Dataset:
    """A Dataset that nobody has looked at."""
    body = builders.make_dataset("iris", **spec)
    body["metadata"] |= {"uid": "u", "generation": 1}
    return Dataset.parse(body)


def looked(dataset: Dataset, *versions: DatasetVersion, **fields: Any) -> DatasetSources:
    """What is looked at with a Dataset whose datastore is Ready."""
    return replace(DatasetSources(dataset, versions, {"default": sightings.a_datastore()}), **fields)


def decided(sources: DatasetSources, seconds: float = 0) -> DatasetDecision:
    """What is decided so many seconds after noon."""
    return decide_dataset(sources, Moment(NOON + timedelta(seconds=seconds), LIMITS))


def ended(dataset: Dataset, exit_code: int, text: str | None) -> Sequence[ObservedMover]:
    """The mover that answers what is asked of this Dataset now, having ended."""
    return [
        ObservedMover(
            "job", ask_of(dataset), NOON, a_pod(container("take-inventory", exit_code, message=text))
        )
    ]


def after(dataset: Dataset, decision: DatasetDecision) -> Dataset:
    """The Dataset with the status that was decided."""
    assert decision.status is not None
    return dataset.model_copy(update={"status": DatasetStatus.model_validate(decision.status)})
