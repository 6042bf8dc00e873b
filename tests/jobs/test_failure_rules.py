"""`podFailurePolicy`: the operator reads the index of the rule that matched, so the order is part of the contract."""

from __future__ import annotations

from towpath_mover.exits import Exit
from towpath_operator.jobs.failure_rules import plain_rules, step_rules


def test_the_order_of_the_rules_is_fixed() -> None:
    first, *others = step_rules()
    assert first["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    exits = [(rule["onExitCodes"]["containerName"], rule["onExitCodes"]["values"]) for rule in others]
    assert exits == [
        ("stage-in", [40]),
        ("stage-in", [41, 42, 43]),
        ("stage-in", [44]),
        ("publish", [40]),
        ("publish", [41, 42, 43]),
        ("publish", [44]),
    ]


def test_every_exit_code_of_a_mover_has_a_rule_but_those_that_say_nothing() -> None:
    named = {value for rule in step_rules()[1:] for value in rule["onExitCodes"]["values"]}
    assert named == set(Exit) - {Exit.OK, Exit.NOT_PUBLISHED}


def test_a_plain_step_names_no_container_that_it_does_not_have() -> None:
    assert not any("onExitCodes" in rule for rule in plain_rules())
