"""Numbers of shards and UIDs in short texts: what is written is read back, and nothing else is read."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.flow.index_ranges import indexes_in, packed_uids, ranges_text, uids_in

indexes = st.sets(st.integers(0, 200))


@given(indexes)
def test_ranges_are_read_back(given_: set[int]) -> None:
    assert indexes_in(ranges_text(given_), 201) == tuple(sorted(given_))


def test_ranges_are_short() -> None:
    assert ranges_text([9, 0, 2, 3, 4, 10, 2]) == "0,2-4,9-10"
    assert ranges_text(range(4096)) == "0-4095"


@pytest.mark.parametrize("text", ["x", "1,", "3-1", "2,1", "1,1", "0-5", "-1", "1-", "99999999999", "1 "])
def test_what_is_no_rising_numbers_below_the_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        indexes_in(text, 5)


@given(st.lists(st.uuids()))
def test_uids_are_read_back(uids: list[UUID]) -> None:
    texts = [str(uid) for uid in uids]
    packed = packed_uids(texts)

    assert len(packed) == 22 * len(uids)
    assert uids_in(packed) == tuple(texts)


@pytest.mark.parametrize("text", ["a", "a" * 23, "." * 22])
def test_what_is_no_uids_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="UID"):
        uids_in(text)
