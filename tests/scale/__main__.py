"""`make scale`: how the operator does with many runs, on a simulated cluster of its own; a table to be kept."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cluster.access import Access
from cluster.installation import Tools
from controller.operator_process import OperatorProcess
from scale import figures
from scale.api import Api, kubeconfig_of
from scale.control_plane import simulated_cluster
from scale.figures import Figure

NAMESPACE = "scale"


def main() -> None:
    """Measures and prints."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="towpath-scale-") as folder:
        place = Path(folder)
        with simulated_cluster(place) as access:
            print("| | measured | aim |", "|---|---|---|", sep="\n", flush=True)
            for what, measured, aim in _figures(given, access, place):
                print(f"| {what} | {measured} | {aim} |", flush=True)


def _figures(given: argparse.Namespace, access: Access, place: Path) -> Iterator[Figure]:
    kubectl = Tools(access).kubectl
    kubectl("create", "namespace", NAMESPACE)
    kubectl("wait", "--for=create", "serviceaccount/default", "--namespace", NAMESPACE, "--timeout=30s")
    api = Api(access, NAMESPACE)
    settings = {"KUBECONFIG": str(kubeconfig_of(access, figures.WRITER, place))}
    operator = OperatorProcess(access, NAMESPACE, place / "operator.log", settings=settings)
    operator.start()
    try:
        operator.wait_leading()
        yield from figures.pace(access, api, given.runs)
        yield from figures.size(api, given.steps)
        operator.stop()
        figures.fill(api, given.finished)
        yield from figures.start(operator, given.finished)
        yield from figures.idle(access, api, operator, given.idle)
    finally:
        operator.kill()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scale", description=__doc__)
    parser.add_argument("--runs", type=int, default=figures.RUNS, help="one-step runs made at once")
    parser.add_argument("--steps", type=int, default=figures.STEPS, help="steps of one run")
    parser.add_argument(
        "--finished", type=int, default=figures.FINISHED, help="runs that have ended at a start"
    )
    parser.add_argument(
        "--idle", type=int, default=figures.IDLE_SECONDS, help="seconds in which nothing happens"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
