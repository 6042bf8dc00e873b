"""`make chaos`: random runs under random faults on the test cluster, by a seed; the report says what was violated."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from chaos.driver import Chaos
from chaos.mutations import MUTATIONS, mutated
from chaos.scene import scene
from cluster.access import write_access
from cluster.installation import Tools
from cluster.providers import choose_provider


def main() -> None:
    """Breaks things and reports; exits with 1 if anything was violated."""
    given = _arguments()
    access = write_access(choose_provider().up())
    kubectl = Tools(access).kubectl
    with tempfile.TemporaryDirectory(prefix="towpath-chaos-") as name:
        folder = Path(name)
        path = mutated(given.mutation, folder / "mutated") if given.mutation else ()
        with scene(access, kubectl, folder, path) as made:
            report = Chaos(made, given.seed).run(given.faults, stop_at_first=bool(given.mutation))
    print(f"seed {given.seed}", *report.lines(), sep="\n")
    sys.exit(1 if report.violations else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument(
        "--mutation", choices=sorted(MUTATIONS), help="break our own code, to see that it is caught"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
