"""A source folder → the files of a step's code: what is ignored is left out, what is too large is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from towpath.errors import DefinitionError
from towpath.flow.code import code_digest
from towpath.ignore import IGNORE_FILES, Ignored, ignored_in
from towpath.spelling import near

MOST_FILES = 2_000
MOST_BYTES = 300 << 20


@dataclass(frozen=True)
class CodeFiles:
    """Files by their path below the folder, with the digest of them all."""

    files: dict[str, bytes]
    digest: str
    folder: str

    def check_script(self, script: str, step: str) -> None:
        """Refuse a step whose script is not among the files."""
        if script not in self.files:
            raise DefinitionError(
                f"Step {step}: there is no {script} in {self.folder} (or it is ignored). {near(script, self.files)}"
            )


def code_files(folder: str | Path) -> CodeFiles:
    """Read a source folder; DefinitionError says with numbers what is too large."""
    root = Path(folder).resolve()
    if not root.is_dir():
        raise DefinitionError(f"source_directory {str(folder)!r} is no folder (here is {Path.cwd()}).")
    ignored, rules = ignored_in(root)
    sizes = {path: (root / path).stat().st_size for path in _paths(root, root, ignored)}
    _check_sizes(root, sizes, rules)
    files = {path: (root / path).read_bytes() for path in sorted(sizes)}
    return CodeFiles(files, code_digest(files), str(root))


def _paths(root: Path, folder: Path, ignored: Ignored) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = Path(entry.path).relative_to(root).as_posix()
        is_folder = entry.is_dir(follow_symlinks=False)
        if ignored(path, is_folder):
            continue
        if is_folder:
            # An environment of Python, whatever it is called, is nobody's code: a step's image has its own.
            if not Path(entry.path, "pyvenv.cfg").exists():
                yield from _paths(root, Path(entry.path), ignored)
        elif _is_taken(entry, root):
            yield path


def _is_taken(entry: os.DirEntry[str], root: Path) -> bool:
    if not entry.is_file():
        return False
    if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
        raise DefinitionError(
            f"{entry.path} is a link to {Path(entry.path).resolve()}, outside of the source folder: copy the file, or "
            f"list the link in {IGNORE_FILES[0]}."
        )
    return True


def _check_sizes(root: Path, sizes: dict[str, int], rules: str | None) -> None:
    if len(sizes) <= MOST_FILES and sum(sizes.values()) <= MOST_BYTES:
        return
    largest = sorted(sizes, key=lambda path: -sizes[path])[:3]
    shown = ", ".join(f"{path} ({sizes[path] / 1e6:.1f} MB)" for path in largest)
    written = f"{rules} is read" if rules else f"there is no {IGNORE_FILES[0]}"
    raise DefinitionError(
        f"The source folder {root} has {len(sizes):,} files of {sum(sizes.values()) / 1e6:,.1f} MB, and a step's code "
        f"at most {MOST_FILES:,} of {MOST_BYTES / 1e6:,.1f} MB ({written}). Largest: {shown}. Give a folder with code "
        f"only as source_directory, list data in {IGNORE_FILES[0]}, and hand data over as a dataset."
    )
