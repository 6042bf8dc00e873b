"""Writes what is generated from the models: crds/, the chart's copies, and the reference pages.

`python -m towpath.api` writes them, with `--check` it only tells which files differ. This is the only impure
module of the package: nothing imports it but the entry point and the test for drift.
"""

import argparse
import functools
import sys
from collections.abc import Mapping
from pathlib import Path

from towpath.api.crds import make_crds
from towpath.api.documents import chart_template, manifest
from towpath.api.kinds import KINDS
from towpath.api.reference import make_page

REPOSITORY = Path(__file__).parents[3]


@functools.cache
def generated_files() -> Mapping[str, str]:
    """Give the text of every generated file by its path in the repository."""
    files = {}
    for plural, crd in make_crds().items():
        files[f"crds/{plural}.yaml"] = manifest(crd)
        files[f"charts/towpath/templates/crds/{plural}.yaml"] = chart_template(crd)
    pages = {f"docs/reference/api/{kind.info.singular}.md": make_page(kind) for kind in KINDS}
    return files | pages


def differing(repository: Path) -> list[str]:
    """List the generated files that are missing or not as the models say."""
    return [path for path, text in generated_files().items() if _read(repository / path) != text]


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def write(repository: Path) -> None:
    """Write all generated files."""
    for path, text in generated_files().items():
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the generated files, or with --check list those that differ; 1 if any does."""
    parser = argparse.ArgumentParser(prog="python -m towpath.api", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; list the files that differ")
    if not parser.parse_args(arguments).check:
        write(REPOSITORY)
        return 0
    stale = differing(REPOSITORY)
    for path in stale:
        print(f"{path} differs from the models: run `make generate`", file=sys.stderr)  # noqa: T201
    return 1 if stale else 0
