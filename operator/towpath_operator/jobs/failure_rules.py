"""`podFailurePolicy` as a classifier: every rule fails the Job, and the index of the one that matched says why,
also when the pod is gone. The order is fixed, since the operator reads the index from the Job's condition."""

from __future__ import annotations

from typing import Any

from towpath.flow import names
from towpath_mover.exits import Exit

Rule = dict[str, Any]

_FINAL = (Exit.REFUSED, Exit.DATA_CHANGED, Exit.DISK_FULL)
_CLASSES = ((Exit.TRY_AGAIN,), _FINAL, (Exit.CREDENTIALS_REFUSED,))


def plain_rules() -> list[Rule]:
    """The rules of a pod without movers. An evicted container also exits 143: so the disruption comes first."""
    return [
        {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]


def step_rules() -> list[Rule]:
    """The rules of a step's pod: disruption, then stage-in's codes, then publish's."""
    movers = (names.STAGE_IN_CONTAINER, names.PUBLISH_CONTAINER)
    return plain_rules() + [_exits(mover, codes) for mover in movers for codes in _CLASSES]


def shard_rules() -> list[Rule]:
    """The same of a step in shards, whose pods fail by themselves: there the class is read from the pods."""
    return [rule | {"action": "FailIndex"} for rule in step_rules()]


def mover_rules(container: str) -> list[Rule]:
    """The rules of a pod that holds one mover."""
    return plain_rules() + [_exits(container, codes) for codes in _CLASSES]


def _exits(container: str, codes: tuple[Exit, ...]) -> Rule:
    values = [int(code) for code in codes]
    return {
        "action": "FailJob",
        "onExitCodes": {"containerName": container, "operator": "In", "values": values},
    }
