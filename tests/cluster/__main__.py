"""The command line: `python -m cluster up|down|status|load-image`, which the Makefile calls."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cluster.access import FOLDER, Access, remove_access, write_access
from cluster.progress import ClusterError, ImpossibleHereError, say
from cluster.provider import Provider
from cluster.providers import choose_provider


def main(arguments: list[str]) -> int:
    """Does one command; the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        _do(asked, choose_provider())
    except ImpossibleHereError as why:
        print(why, file=sys.stderr)
        return 0 if getattr(asked, "if_possible", False) else 1
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cluster", description="A real Kubernetes with S3, for tests")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it, or find it running; write .cluster/")
    up.add_argument("--if-possible", action="store_true", help="no error where no cluster is possible")
    commands.add_parser("down", help="remove it and all that it made")
    commands.add_parser("status", help="say what runs")
    load = commands.add_parser("load-image", help="make an image usable by pods")
    load.add_argument("name")
    load.add_argument("archive", type=Path, help="an OCI archive")
    return parser


def _do(asked: argparse.Namespace, provider: Provider) -> None:
    if asked.command == "up":
        _announce(write_access(provider.up()))
    elif asked.command == "down":
        provider.down()
        remove_access()
        say(f"{provider.name}: down, nothing is left")
    elif asked.command == "status":
        print(provider.status())
    else:
        print(provider.load_image(asked.archive, asked.name))


def _announce(access: Access) -> None:
    print(f"export KUBECONFIG={access.kubeconfig}")
    if access.tools is not None:
        print(f"export PATH={access.tools}:$PATH")
    print(f"# S3: set -a; . {FOLDER / 's3.env'}; set +a")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
