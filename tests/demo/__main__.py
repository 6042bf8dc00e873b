"""`make demo`: the iris pipeline on this machine, without a cluster: run, changed, and run again."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from towpath.backend import Kind, Manifest
from towpath.errors import TowpathError
from towpath.local.backend import LocalBackend
from towpath.local.init import init
from towpath.local.running import Wanted, follow_run, start_run

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples/iris"
MANIFESTS = ("dataset.yaml", "pipeline.yaml", "run.yaml")


def main(folder: Path = REPOSITORY, say: Callable[[str], None] = print) -> int:
    """Run the demo in a folder; the exit code."""
    try:
        return 0 if run_demo(folder, say) else 1
    except TowpathError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def run_demo(folder: Path, say: Callable[[str], None]) -> bool:
    """The demo; whether both runs succeeded."""
    backend = init(folder)
    say(f"No cluster, no root: everything lies in {backend.places.root}\n")
    flowers = (EXAMPLE / "iris.csv").read_bytes()
    with backend.open_store("default") as store:
        store.write("raw/iris.csv", [flowers], len(flowers))
    say("150 flowers are in the datastore `default`, at raw/iris.csv")
    first = one_run(backend, {}, say)
    second = one_run(backend, {"holdout": 3}, say)
    say(NEXT.format(run=second["metadata"]["name"]))
    return all(run["status"]["state"] == "Succeeded" for run in (first, second))


def one_run(backend: LocalBackend, params: Mapping[str, Any], say: Callable[[str], None]) -> Manifest:
    """A run of the example with these parameters, and what came of it."""
    began = time.monotonic()
    manifests = [yaml.safe_load((EXAMPLE / name).read_text()) for name in MANIFESTS]
    started = start_run(backend, Wanted(manifests=manifests, params=params))
    words = "".join(f" with {name}={value}" for name, value in params.items())
    say(f"\nrun {started.run['metadata']['name']}{words}")
    run = follow_run(backend, started.run, lambda _: None)
    for step in run["status"].get("steps", ()):
        say(f"  {step['name']:6} {step['state']}{_how(step)}")
    say(f"  {run['status']['message']} ({time.monotonic() - began:.1f} s)")
    if run["status"]["state"] == "Succeeded":
        show_model(backend, run, say)
    return run


def show_model(backend: LocalBackend, run: Manifest, say: Callable[[str], None]) -> None:
    """The metrics, from the bytes of the version that the run made."""
    (output,) = next(step["outputs"] for step in run["status"]["steps"] if step["name"] == "train")
    number = output["version"]
    version = backend.get(Kind.DATASET_VERSION, f"iris-model-v{number}") or {}
    folder = version["spec"]["inventory"]["path"].rpartition("/")[0]
    with backend.open_store("default") as store:
        metrics = json.loads(b"".join(store.read(f"{folder}/data/metrics.json")))
    say(f"  iris-model version {number}: {metrics}")


def _how(step: Mapping[str, Any]) -> str:
    taken = step.get("reusedFrom")
    return f", taken from run {taken['run']}: nothing of it has changed" if taken else ""


NEXT = """
Next:
  towpath get runs --local                 the runs so far
  towpath describe run {run} --local     its steps, inputs, outputs and why they ran
  towpath logs {run} --local             what its steps said
  towpath run examples/iris/pipeline.yaml --local -p holdout=2
  make demo-cluster                        the same pipeline on a Kubernetes cluster"""


if __name__ == "__main__":
    sys.exit(main())
