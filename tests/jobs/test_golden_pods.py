"""What we ask Kubernetes for, to the last field: a change of it shows in these files.

`TOWPATH_WRITE_GOLDEN=1 pytest tests/jobs/test_golden_pods.py` writes them anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from jobs.rendered_examples import examples

GOLDEN = Path(__file__).parents[1] / "golden" / "pods"
EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_job_is_rendered_as_in_its_golden_file(name: str) -> None:
    file = GOLDEN / f"{name}.yaml"
    if os.environ.get("TOWPATH_WRITE_GOLDEN"):
        # Through JSON, so that what two parts share is written out in both.
        plain = json.loads(json.dumps(EXAMPLES[name]))
        file.write_text(yaml.safe_dump(plain, sort_keys=False, width=110))
    assert EXAMPLES[name] == yaml.safe_load(file.read_text())


def test_the_same_step_and_order_are_rendered_the_same() -> None:
    assert examples() == EXAMPLES


def test_every_golden_file_is_of_an_example() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(EXAMPLES)
