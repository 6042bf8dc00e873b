"""References: read once, replaced once, and byte-exact in the process whatever the values hold (row 94)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from flow.kubelet import expand
from flow.sightings import planned
from towpath.flow.references import (
    check,
    for_pod,
    literal_for_pod,
    params_in,
    references_in,
    substitute,
    values_of,
)
from towpath.flow.stalled import StalledError

# What could be taken for syntax, by us or by the kubelet, and what it mangles.
PIECES = [
    "$",
    "$$",
    "$(",
    ")",
    "$(HOME)",
    "$(params.x)",
    "$$(params.x)",
    "$(inputs.a.path)",
    "é",
    "$é",
    "\n",
    "a",
]
HOSTILE = (
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12)
    .map("".join)
    .filter(lambda text: "\0" not in text)
)
ENVIRONMENT = {"HOME": "/root", "params.x": "wrong", "a": "wrong", "": "wrong"}


@given(value=HOSTILE)
def test_a_hostile_value_arrives_byte_for_byte(value: str) -> None:
    given_to_kubelet = for_pod("--x=$(params.x)", {"params.x": value})

    assert expand(given_to_kubelet, ENVIRONMENT) == f"--x={value}"


@given(values=st.lists(HOSTILE, min_size=1, max_size=4), between=st.text("ab$(){}é ", max_size=6))
def test_values_side_by_side_never_make_new_syntax(values: list[str], between: str) -> None:
    names = [f"params.p{index}" for index in range(len(values))]
    # A `$` right before a reference would escape it: that is what `$$(` says.
    between = between.rstrip("$")
    escaped = between.replace("$(", "$$(")
    template = escaped.join(f"$({name})" for name in names)
    expected = between.join(values)

    assert expand(for_pod(template, dict(zip(names, values, strict=True))), ENVIRONMENT) == expected


@given(text=HOSTILE)
def test_a_literal_text_arrives_byte_for_byte(text: str) -> None:
    assert expand(literal_for_pod(text), ENVIRONMENT) == text


@given(text=st.text(max_size=30).filter(lambda text: "$(" not in text))
def test_a_template_without_references_means_itself(text: str) -> None:
    assert substitute(text, {}) == text
    assert expand(for_pod(text, {}), ENVIRONMENT) == text


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$(HOME)/x", "/root/x"),
        ("$(NOPE)", "$(NOPE)"),
        ("$$(HOME)", "$(HOME)"),
        ("$$(params.x)", "$(params.x)"),
        ("$$$(params.x)", "$$(params.x)"),
        ("a$$b", "a$$b"),
        ("100$", "100$"),
        ("$(date +%s)", "$(date +%s)"),
        ("$(params)", "$(params)"),
        ("$(params.x", "$(params.x"),
        ("awk '{print $1}'", "awk '{print $1}'"),
        ("$(params.x)$(HOME)$(params.x)", "X$(HOME)/rootX$(HOME)"),
    ],
)
def test_the_process_gets_what_is_meant(template: str, expected: str) -> None:
    assert expand(for_pod(template, {"params.x": "X$(HOME)"}), ENVIRONMENT) == expected


def test_a_substituted_value_is_not_substituted_again() -> None:
    values = {"params.a": "$(params.b)", "params.b": "no"}

    assert substitute("$(params.a)", values) == "$(params.b)"
    assert expand(for_pod("$(params.a)", values), {}) == "$(params.b)"


@pytest.mark.parametrize("reference", ["params.shar", "inputs.x.path", "run.id", "step.", "params. share"])
def test_an_unknown_reference_is_an_error_that_names_near_ones(reference: str) -> None:
    with pytest.raises(StalledError) as caught:
        check(f"a $({reference}) b", ["params.share", "run.name"], "Step prep")

    assert f"Step prep: $({reference}) refers to nothing" in caught.value.message
    assert f"$$({reference})" in caught.value.message


def test_a_near_name_is_offered() -> None:
    with pytest.raises(StalledError, match=r"Did you mean params\.share\?"):
        check("$(params.shar)", ["params.share", "run.name"], "Step prep")


def test_references_are_found_in_order_and_escaped_ones_are_not() -> None:
    assert references_in("$(params.b) $$(params.c) $(HOME) $(run.name)") == ("params.b", "run.name")
    assert params_in(["$(params.b)$(params.a)", "$(step.name)"]) == {"a", "b"}


def test_a_single_file_is_given_as_the_file_in_its_folder() -> None:
    plan = planned(builders.make_step(inputs=[{"name": "iris"}], outputs=[{"name": "clean"}]))
    step = plan.steps[0]
    (given_input,) = step.inputs
    content = given_input.source.content  # type: ignore[union-attr]

    values = values_of(plan, step, {"iris": content})

    assert values["inputs.iris.path"] == "/towpath/inputs/iris/iris.csv"
    assert values["outputs.clean.path"] == "/towpath/outputs/clean"
    assert (values["run.name"], values["step.name"]) == ("iris-1", "prep")
