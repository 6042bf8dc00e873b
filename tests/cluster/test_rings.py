"""The ring of a test follows from its markers."""

from __future__ import annotations

import pytest

from conftest import ring


def test_a_test_without_a_marker_is_pure(request: pytest.FixtureRequest) -> None:
    assert ring(request.node) == "1 pure"


@pytest.mark.parametrize(
    ("markers", "expected"),
    [(["server"], "2 server"), (["story"], "3 story"), (["fault", "server"], "4 fault")],
)
def test_the_outermost_marker_names_the_ring(
    request: pytest.FixtureRequest, markers: list[str], expected: str
) -> None:
    for name in markers:
        request.node.add_marker(name)
    assert ring(request.node) == expected
