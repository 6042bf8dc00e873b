"""Parameters: one canonical text each, and errors that say what to write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.api.pipeline import Param, ParamType
from towpath.flow.conditions import RunReason
from towpath.flow.params import canonical_text, param_texts
from towpath.flow.stalled import StalledError


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        ("string", "a $(x) b", "a $(x) b"),
        ("string", "", ""),
        ("string", 4, None),
        ("string", "a\0b", None),
        ("integer", 4, "4"),
        ("integer", 4.0, "4"),
        ("integer", "-4", "-4"),
        ("integer", "04", None),
        ("integer", 4.5, None),
        ("integer", True, None),
        ("integer", 2**63, str(2**63)),
        ("number", 1.0, "1"),
        ("number", 0.1, "0.1"),
        ("number", "1e-3", "0.001"),
        ("number", 1e22, "1e+22"),
        ("number", float("nan"), None),
        ("number", float("inf"), None),
        ("number", "1e999", None),
        ("number", -0.0, "0"),
        ("number", "0x10", None),
        ("boolean", True, "true"),
        ("boolean", "false", "false"),
        ("boolean", "yes", None),
        ("boolean", 1, None),
        ("string", ["a"], None),
        ("number", None, None),
    ],
)
def test_each_type_has_one_canonical_text(type_: str, value: object, text: str | None) -> None:
    assert canonical_text(ParamType(type_), value) == text


@given(st.one_of(st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_written_as_its_canonical_text_keeps_it(value: float) -> None:
    text = canonical_text(ParamType.NUMBER, value)

    assert text is not None
    assert canonical_text(ParamType.NUMBER, text) == text
    assert float(text) == float(value)


def test_a_run_overrides_defaults_and_the_rest_stays() -> None:
    declared = [Param(name="share", type=ParamType.NUMBER, default=80), Param(name="mode", default="fast")]

    assert param_texts(declared, {"share": 90}) == {"share": "90", "mode": "fast"}


@pytest.mark.parametrize(
    ("given_params", "words"),
    [
        ({"shar": 1}, "Did you mean share?"),
        ({}, "share (number) has no value and no default"),
        ({"share": "x"}, "share takes a value of type number"),
        ({"share": 1, "mode": 4}, 'mode: "4"'),
    ],
)
def test_a_bad_parameter_is_refused_with_what_to_do(given_params: dict[str, object], words: str) -> None:
    declared = [Param(name="share", type=ParamType.NUMBER), Param(name="mode", default="fast")]

    with pytest.raises(StalledError) as caught:
        param_texts(declared, given_params)

    assert caught.value.reason is RunReason.INVALID_PARAMS
    assert words in caught.value.message


def test_parameters_that_differ_only_in_case_would_share_a_variable() -> None:
    with pytest.raises(StalledError, match="TOWPATH_PARAM_RATE"):
        param_texts([Param(name="rate", default="1"), Param(name="Rate", default="2")], {})
