"""Random runs, and what each of their steps must have written if it is said to have succeeded. The same seed gives the
same runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from cluster.pods import PYTHON_IMAGE

Json = dict[str, Any]
DATASETS = 3
FILES = 3

# What a step does: unfinished files first, which nobody may ever see; in the end what follows from its inputs.
_PROGRAM = """
import hashlib, os, pathlib, signal, sys, time
shard = os.environ.get("TOWPATH_SHARD")
before = "" if shard is None else shard + "-"
mark, seconds, ends, target, *given = sys.argv[1:]
if ends == "flushes":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
target = pathlib.Path(target)
target.mkdir()
for number in range(%d):
    (target / f"{before}{number}.txt").write_text("unfinished")
time.sleep(float(seconds))
read = "".join(file.read_text() for folder in given for file in sorted(pathlib.Path(folder).rglob("*.txt")))
for number in range(%d):
    name = f"{before}{number}"
    (target / f"{name}.txt").write_text(hashlib.sha256(f"{mark}/{name}/{read}".encode()).hexdigest())
sys.exit(3 if ends == "fails" else 0)
""" % (FILES, FILES)  # noqa: UP031 - the program has braces of its own


@dataclass(frozen=True)
class Step:
    """One step of a story. `ends` is how: well, with exit code 3, or well but also when it is told to stop.

    One in shards shares out the first of what it reads.
    """

    name: str
    mark: str
    ends: str
    reads: tuple[str, ...] = ()
    registers: str | None = None
    shards: int = 0


@dataclass(frozen=True)
class Story:
    """A run: its object's spec, and its steps by name."""

    name: str
    spec: Json
    steps: Mapping[str, Step]

    def contents(self, step: str) -> dict[str, str]:
        """The files that this step's output holds, if it succeeded."""
        told = self.steps[step]
        given = [sorted(self.contents(name).items()) for name in told.reads]
        if not told.shards:
            return _written(told.mark, "", given)
        contents: dict[str, str] = {}
        for shard in range(told.shards):
            contents |= _written(told.mark, f"{shard}-", [given[0][shard :: told.shards], *given[1:]])
        return contents


def _written(mark: str, before: str, given: Sequence[Sequence[tuple[str, str]]]) -> dict[str, str]:
    """What the program writes that is given these files: names and texts of each input."""
    read = "".join(text for files in given for _, text in files)
    names = [f"{before}{number}" for number in range(FILES)]
    return {f"{name}.txt": hashlib.sha256(f"{mark}/{name}/{read}".encode()).hexdigest() for name in names}


def story(seed: int, number: int) -> Story:
    """The run of this number."""
    dice, shares = Random(f"{seed}/{number}"), Random(f"{seed}/{number}/shards")
    name = f"chaos-{number}"
    steps: list[Step] = []
    for place in range(dice.randint(1, 4)):
        reads = tuple(one.name for one in steps if dice.random() < 0.6)
        ends = dice.choices(["well", "flushes", "fails"], [6, 3, 1])[0]
        register = f"kept-{dice.randrange(DATASETS)}" if dice.random() < 0.5 else None
        shards = shares.choice([0, 2, 3]) if reads else 0
        steps.append(Step(f"s{place}", f"{seed}/{name}/{place}", ends, reads, register, shards))
    retries = dice.randint(0, 2)
    manifests = [_manifest(step, dice.uniform(0.0, 3.0), retries) for step in steps]
    spec: Json = {"pipelineSpec": {"steps": manifests}, "continueOnStepFailure": dice.random() < 0.5}
    return Story(name, spec, {step.name: step for step in steps})


def _manifest(step: Step, seconds: float, retries: int) -> Json:
    words = [step.mark, f"{seconds:.2f}", step.ends, "$(outputs.out.path)"]
    given = [f"$(inputs.{name}.path)" for name in step.reads]
    output: Json = {"name": "out"}
    if step.registers:
        output["register"] = {"name": step.registers}
    shards = {"shards": {"input": step.reads[0], "count": step.shards}} if step.shards else {}
    return {
        "name": step.name,
        "image": PYTHON_IMAGE,
        "command": ["python3", "-c", _PROGRAM, *words, *given],
        "inputs": [{"name": name, "from": {"step": name}} for name in step.reads],
        "outputs": [output],
        "retries": retries,
        **shards,
    }
