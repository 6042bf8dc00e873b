"""Every rule of the API on the real API server: the good object passes, the bad one is refused in plain words."""

from __future__ import annotations

import json

import pytest

from api import dataset_rules, datastore_rules, pipeline_rules, pipelinerun_rules
from api.judge import Case, Change, Judge, crds, rules_in

TABLES = (datastore_rules, dataset_rules, pipeline_rules, pipelinerun_rules)
CASES = [case for table in TABLES for case in table.RULES]


@pytest.mark.server
@pytest.mark.parametrize("case", [case for case in CASES if not isinstance(case, Change)], ids=str)
def test_a_good_object_passes_and_a_bad_one_reads_why(judge: Judge, case: Case) -> None:
    assert judge.says_of(case.good) == ""
    assert case.says in judge.says_of(case.bad)


@pytest.mark.server
@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case, Change)], ids=str)
def test_a_good_change_passes_and_a_bad_one_reads_why(judge: Judge, case: Change) -> None:
    assert judge.says_of_change(case, case.good) == ""
    assert case.says in judge.says_of_change(case, case.bad)


def test_every_rule_of_every_kind_has_a_case() -> None:
    messages = {rule["message"] for crd in crds().values() for rule in rules_in(crd)}
    untried = {message for message in messages if not any(case.says in message for case in CASES)}
    assert untried == set()


def test_every_message_tells_what_to_do_or_what_is_right() -> None:
    for crd in crds().values():
        for rule in rules_in(crd):
            assert len(rule["message"].split()) >= 8, rule["message"]
            assert "\n" not in json.dumps(rule["message"])
