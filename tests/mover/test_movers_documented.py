"""docs/reference/movers.md says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from towpath_mover.__main__ import MOVERS
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason

PAGE = (Path(__file__).parents[2] / "docs/reference/movers.md").read_text()


def test_every_exit_code_is_documented() -> None:
    documented = {
        int(code): name for code, name in re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", PAGE, re.MULTILINE)
    }
    assert documented == {int(code): code.name for code in Exit}


def test_every_reason_is_documented_with_its_code() -> None:
    documented = dict(re.findall(r"^\| `([A-Z]\w+)` \| (\d+) \|", PAGE, re.MULTILINE))
    assert documented == {str(reason): str(int(MoverFailure(reason, "").exit)) for reason in Reason}


def test_every_mover_is_documented() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE) == list(MOVERS)
