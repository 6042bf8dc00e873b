"""Which version a content is: what this very output made before, the latest if it is equal, else the next number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import builders
from flow.sightings import LIMITS, begun, later, planned, seen, succeeded
from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.flow import registration
from towpath.flow.decide import decide
from towpath.flow.decision import Registration
from towpath.flow.observed import ObservedVersion
from towpath.flow.planned import Plan
from towpath.flow.registration import Existing, Next, register

ORIGIN = {"run": "r", "step": "s", "output": "o", "attempt": "1-pod"}


def version(number: int, digest: str, produced_by: dict[str, str] | None = None) -> ObservedVersion:
    """A version that exists."""
    return ObservedVersion(f"iris-v{number}", "iris", number, digest, produced_by)


def test_the_first_version_is_number_one() -> None:
    assert register(0, [], ORIGIN, "a") == Next(1)


def test_content_equal_to_the_latest_is_that_version() -> None:
    assert register(2, [version(1, "a"), version(2, "b")], ORIGIN, "b") == Existing(version(2, "b"))


def test_content_that_only_an_older_version_had_is_a_new_one() -> None:
    assert register(2, [version(1, "a"), version(2, "b")], ORIGIN, "a") == Next(3)


def test_what_this_very_output_made_before_a_crash_is_found() -> None:
    mine = version(1, "a", ORIGIN)

    assert register(2, [mine, version(2, "b")], ORIGIN, "a") == Existing(mine)
    assert register(
        2, [version(1, "a", ORIGIN | {"attempt": "2-pod"}), version(2, "b")], ORIGIN, "a"
    ) == Next(3)


@given(last=st.integers(0, 9), numbers=st.sets(st.integers(1, 9)))
def test_a_number_is_never_used_twice(last: int, numbers: set[int]) -> None:
    choice = register(last, [version(number, "old") for number in numbers], ORIGIN, "new")

    assert isinstance(choice, Next)
    assert choice.number > max({last, *numbers})


def a_registration() -> tuple[Plan, Registration]:
    """What is registered when a step that reads iris has succeeded."""
    told = {"name": "Iris_Model", "tags": {"team": "a"}, "description": "d"}
    step = builders.make_step(inputs=[{"name": "iris"}], outputs=[{"name": "model", "register": told}])
    plan = planned(step)
    (wanted,) = decide(plan, begun(plan), seen(succeeded(plan, "prep")), later(12), LIMITS).register
    return plan, wanted


def test_a_version_says_where_it_comes_from() -> None:
    plan, wanted = a_registration()

    made = DatasetVersion.parse(registration.version_manifest(plan.run, wanted, 3))

    assert made.metadata.name == "iris-model-v3"
    assert made.spec.produced_by is not None
    assert made.spec.produced_by.model_dump() == registration.produced_by(plan.run, wanted)
    (ancestor,) = made.spec.derived_from
    assert (ancestor.input, ancestor.dataset, ancestor.version) == ("iris", "iris", 1)
    assert (made.spec.file, made.spec.tags, made.spec.description) == ("model", {"team": "a"}, "d")


def test_the_first_registration_makes_the_dataset_with_the_name_that_was_given() -> None:
    plan, wanted = a_registration()

    made = Dataset.parse(registration.dataset_manifest(plan.run, wanted))

    assert made.metadata.name == "iris-model"
    assert made.metadata.annotations == {"towpath.dev/given-name": "Iris_Model"}
    assert made.metadata.owner_references == ()


def test_a_dataset_with_sources_or_of_another_type_takes_no_versions_from_runs() -> None:
    _, wanted = a_registration()

    assert registration.refusal(wanted, {}) is None
    assert "from its sources" in (registration.refusal(wanted, {"sources": [{"path": "x"}]}) or "")
    assert "Tabular" in (registration.refusal(wanted, {"type": "Tabular"}) or "")
