"""Metrics of shards made one: of each name the mean, the sum, the least and the greatest value, and no harm."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from towpath_mover.shard_metrics import united

NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.integers()
SHARDS = st.lists(
    st.none() | st.text() | st.dictionaries(st.text(max_size=200), NUMBERS | st.booleans() | st.text())
)


def test_each_name_has_its_mean_over_the_shards_that_logged_it_and_its_sum_least_and_greatest() -> None:
    metrics = united([{"rows": 10, "loss": 0.5}, {"rows": 20}, {"rows": 30, "loss": 0.25}])

    assert metrics == {
        "rows": 20.0,
        "loss": 0.375,
        "rows/sum": 60.0,
        "loss/sum": 0.75,
        "rows/min": 10.0,
        "loss/min": 0.25,
        "rows/max": 30.0,
        "loss/max": 0.5,
    }


def test_of_more_than_fit_the_means_come_first_and_then_the_sums() -> None:
    metrics = united([{f"m{number}": number for number in range(20)}] * 2)

    assert list(metrics) == [
        *(f"m{number}" for number in range(20)),
        *(f"m{number}/sum" for number in range(12)),
    ]


def test_a_name_that_a_step_has_given_itself_is_its_own() -> None:
    assert united([{"rows": 1, "rows/sum": 7}, {"rows": 3, "rows/sum": 7}])["rows/sum"] == 7.0


def test_what_cannot_be_summed_is_left_out_and_the_rest_stays() -> None:
    assert united([{"x": 1e308}, {"x": 1e308}]) == {"x/min": 1e308, "x/max": 1e308}
    assert united([{"x": True, "y": "1", "z": None, "v": 10**400}, None, [], {"w": 1}]) == {
        "w": 1.0,
        "w/sum": 1.0,
        "w/min": 1.0,
        "w/max": 1.0,
    }


@given(shards=SHARDS)
def test_whatever_results_say_at_most_32_finite_numbers_are_made_of_it(shards: list[object]) -> None:
    metrics = united(shards)

    assert len(metrics) <= 32
    assert all(math.isfinite(value) and len(name) <= 128 for name, value in metrics.items())
