"""Names: deterministic, short enough, valid, and never the same for two things."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from towpath.flow import names, store_keys

UID = "0123abcd-2222-3333-4444-555555555555"
STEPS = st.from_regex(r"[a-z]([a-z0-9_-]{0,61}[a-z0-9])?", fullmatch=True)
RUNS = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,80}[a-z0-9])?", fullmatch=True)
DNS = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


@given(run=RUNS, step=STEPS, attempt=st.integers(1, 100_000))
def test_a_job_name_is_valid_short_and_carries_the_uid(run: str, step: str, attempt: int) -> None:
    name = names.job_name(run, UID, step, attempt)

    assert DNS.fullmatch(name)
    assert len(name) <= 63
    assert "-0123abcd-" in name
    assert name == names.job_name(run, UID, step, attempt)


@given(
    run=RUNS,
    steps=st.lists(STEPS, min_size=2, max_size=2, unique=True),
    attempts=st.tuples(*[st.integers(1, 99)] * 2),
)
def test_two_steps_never_share_a_job(run: str, steps: list[str], attempts: tuple[int, int]) -> None:
    first, second = (
        names.job_name(run, UID, step, number) for step, number in zip(steps, attempts, strict=True)
    )

    assert first != second


def test_steps_that_map_to_one_text_are_told_apart() -> None:
    assert names.job_name("r", UID, "a-b", 1) == "r-0123abcd-a-b-1"
    assert names.job_name("r", UID, "a_b", 1) != names.job_name("r", UID, "a-b", 1)
    assert names.job_name("r", UID, "a__b", 1) != names.job_name("r", UID, "a_b", 1)


@given(text=st.text(min_size=1, max_size=100))
def test_a_label_value_is_always_one(text: str) -> None:
    value = names.label_value(text)

    assert len(value) <= 63
    assert LABEL.fullmatch(value)
    assert value == text or value.endswith(names.label_value(text)[-8:])


def test_a_given_name_maps_to_an_object_name() -> None:
    assert names.object_name("Training_Data") == "training-data"
    assert names.version_name("iris", 3) == "iris-v3"


@given(run=RUNS.map(lambda name: name * 3))
def test_a_plan_name_fits_an_object_name(run: str) -> None:
    assert len(names.plan_name(run, UID)) <= 253
    assert names.plan_name(run, UID).endswith("-0123abcd-plan")


def test_keys_lie_where_the_design_says() -> None:
    prefix = store_keys.result_prefix("team-a", "iris-x", UID, "prep")
    assert prefix == "team-a/runs/iris-x-0123abcd/prep/"
    assert store_keys.result_key(prefix, "1-pod") == "team-a/runs/iris-x-0123abcd/prep/1-pod/result"
    registered = store_keys.registered_prefix("team-a", "model", "iris-x", UID, "train")
    assert registered == "team-a/datasets/model/iris-x-0123abcd/train/"
    assert store_keys.output_data_prefix(registered, "1-pod", "m") == registered + "1-pod/m/data/"
    assert store_keys.source_inventory_key("team-a", "ff") == "team-a/inventories/ff.jsonl.gz"


def test_the_same_question_is_asked_by_the_same_job() -> None:
    assert names.ask_of(1, None, "x") == names.ask_of(1, None, "x")
    assert names.ask_of(1, None, "x") != names.ask_of(2, None, "x")
    job = names.mover_job_name(names.PROBE_COMPONENT, "d" * 80, UID, names.ask_of(1))
    assert len(job) <= 63
    assert DNS.fullmatch(job)


def test_a_sources_copies_are_told_by_what_is_copied_and_by_nothing_else() -> None:
    archive = {"type": "Zip", "entryGlob": "*.jpg"}
    source: dict[str, object] = {"url": "https://h/a.zip", "archive": archive}
    same: dict[str, object] = {
        "archive": dict(reversed(archive.items())),
        "url": "https://h/a.zip",
        "caConfigMap": "ca",
    }
    others: list[dict[str, object]] = [
        {"url": "https://h/a.zip"},
        {"url": "https://h/b.zip", "archive": archive},
        {"url": "https://h/a.zip", "archive": {"type": "Zip"}},
        {"path": "a.zip", "datastore": "x", "archive": archive},
        {"path": "a.zip", "datastore": "y", "archive": archive},
    ]

    assert store_keys.copied_source(source) == store_keys.copied_source(same)
    assert len({store_keys.copied_source(one) for one in (source, *others)}) == 6
