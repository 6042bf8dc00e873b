"""Movers' reports are untrusted: sizes are bounded, types checked, names must be declared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from flow.sightings import POD_UID, planned, publish_entry, publish_report
from towpath.flow import reports
from towpath.flow.report_fields import UnreadableReportError

STEP = planned(builders.make_step(outputs=[{"name": "clean"}, {"name": "model"}])).steps[0]
ENTRY = publish_entry(STEP, "clean")


def reported(**changes: Any) -> str:
    """A report of one output with some of its fields changed."""
    return publish_report(STEP, outputs=[ENTRY | changes])


BAD: list[dict[str, Any]] = [
    {"name": "nope"},
    {"name": ["clean"]},
    {"files": -1},
    {"files": True},
    {"files": "1"},
    {"files": 2**63},
    {"bytes": 1.5},
    {"directory": "no"},
    {"directory": None},
    {"file": "../../etc/passwd"},
    {"file": "other"},
    {"inventory": None},
    {"inventory": ENTRY["inventory"] | {"datastore": "other"}},
    {"inventory": ENTRY["inventory"] | {"path": "team-b/inventory"}},
    {"inventory": ENTRY["inventory"] | {"path": ENTRY["inventory"]["path"] + "/../x"}},
    {"inventory": ENTRY["inventory"] | {"digest": "sha256:xyz"}},
    {"inventory": {}},
    {"seconds": -1},
    {"datastores": "default"},
    {"datastores": ["a"] * 65},
]


@pytest.mark.parametrize("changes", BAD)
def test_an_output_that_is_not_as_planned_is_not_read(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableReportError):
        reports.read_publish(reported(**changes), STEP)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[]",
        '"x"',
        "{",
        "{}",
        "[" * 3000,
        '{"formatVersion":1}',
        '{"formatVersion":1,"attempt":"1-x","outputs":{}}',
        publish_report(STEP, outputs=[ENTRY, ENTRY]),
        publish_report(STEP, outputs=[ENTRY] * 3),
        json.dumps({"formatVersion": 1, "attempt": ["1"], "outputs": []}),
        publish_report(STEP, padding="x" * 4096),
        publish_report(STEP, metrics=[1]),
        '{"formatVersion":1,"attempt":"1-x","outputs":[],"metrics":{"a":NaN}}',
    ],
)
def test_what_is_no_report_is_not_read(text: str | None) -> None:
    with pytest.raises(UnreadableReportError):
        reports.read_publish(text, STEP)


@given(text=st.one_of(st.text(), st.binary().map(lambda data: data.decode(errors="replace"))))
def test_any_text_is_read_or_refused_and_never_breaks(text: str) -> None:
    assert reports.read_failure(text) is None
    assert reports.read_stage_in(text) is None
    assert reports.read_probe(text) is None
    with pytest.raises(UnreadableReportError):
        reports.read_publish(text, STEP)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "inventory", "a"]), inner)
    ),
    max_leaves=5,
)


@given(field=st.sampled_from(sorted(ENTRY)), value=JSON)
def test_any_value_in_a_report_is_read_or_refused_and_never_breaks(field: str, value: object) -> None:
    try:
        report = reports.read_publish(reported(**{field: value}), STEP)
    except UnreadableReportError:
        return
    assert report.outputs[0].content.files >= 0


def test_a_report_that_left_out_what_follows_from_the_plan_is_completed() -> None:
    short = {"name": "clean", "inventory": {"digest": ENTRY["inventory"]["digest"]}, "files": 1, "bytes": 1}

    (output,) = reports.read_publish(
        publish_report(STEP, outputs=[short | {"directory": False}]), STEP
    ).outputs

    assert output.content.inventory.path == ENTRY["inventory"]["path"]
    assert output.content.inventory.datastore == "default"
    assert output.content.file == "clean"


def test_metrics_are_at_most_32_finite_numbers() -> None:
    metrics = {f"m{index}": index for index in range(40)} | {"text": "x", "yes": True}

    report = reports.read_publish(publish_report(STEP, metrics=metrics), STEP)

    assert len(report.metrics) == 32
    assert all(isinstance(value, float) for value in report.metrics.values())


def test_a_failure_keeps_its_word_and_one_line() -> None:
    text = json.dumps({"formatVersion": 1, "reason": "DiskFull", "message": "a\nb\x1b[0m " + "x" * 2000})

    failure = reports.read_failure(text)

    assert failure is not None
    assert failure.reason == "DiskFull"
    assert failure.message.startswith("a b [0m x")
    assert len(failure.message) == 1000
    assert (
        reports.read_failure(json.dumps({"formatVersion": 1, "reason": "not a word", "message": "m"})) is None
    )


def test_a_taken_inventory_is_read() -> None:
    entry = {key: value for key, value in ENTRY.items() if key not in ("name", "seconds")}

    content = reports.read_inventory(json.dumps({"formatVersion": 1, **entry, "file": "iris.csv"})).content

    assert (content.file, content.directory, content.files) == ("iris.csv", False, 1)
    assert content.inventory.path.startswith(f"{STEP.outputs[0].prefix}1-{POD_UID}/")
