"""Our own code broken on purpose, one rule each: chaos must notice, or its silence would mean nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

_REPOSITORY = Path(__file__).parents[2]


class Mutation(NamedTuple):
    """In a file below the repository, one text instead of another."""

    file: str
    old: str
    new: str


MUTATIONS = {
    "names-of-chance": Mutation(
        "sdk/towpath/flow/names.py",
        "def job_name(run: str, uid: str, step: str, attempt: int) -> str:\n",
        "def job_name(run: str, uid: str, step: str, attempt: int) -> str:\n"
        "    import secrets; run = secrets.token_hex(3)\n",
    ),
    "forgetful-registration": Mutation(
        "sdk/towpath/flow/registration.py",
        "    ordered = sorted(versions, key=lambda version: version.version)\n",
        "    ordered = []\n",
    ),
    "false-success": Mutation(
        "sdk/towpath/flow/ending.py",
        "    failed = _first_failed(steps)\n    if failed is not None:\n        return RunReason.STEP_FAILED",
        "    failed = None\n    if failed is not None:\n        return RunReason.STEP_FAILED",
    ),
    "reopened-step": Mutation(
        "sdk/towpath/flow/restored_status.py",
        "        state=StepState(step.state.value),\n        reason=",
        '        state=StepState(step.state.value.replace("Succeeded", "Running")),\n        reason=',
    ),
    "hasty-end": Mutation(
        "sdk/towpath/flow/decide.py",
        "    is_over = all(step.state.is_final for step in steps.values()) and is_done\n",
        "    is_over = any(step.state.is_final for step in steps.values()) and is_done\n",
    ),
}


def mutated(name: str, folder: Path) -> tuple[str, ...]:
    """Write our code with this mutation into a folder; where it is found."""
    mutation = MUTATIONS[name]
    for part in ("sdk", "operator"):
        shutil.copytree(_REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / mutation.file
    text = file.read_text()
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.file} has no longer, or not once, what {name} changes: {mutation.old!r}")
    file.write_text(text.replace(mutation.old, mutation.new))
    return str(folder / "sdk"), str(folder / "operator")
