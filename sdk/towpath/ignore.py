"""Which files of a source folder stay at home: patterns as Git writes them, read from one file of the folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# In this order; the first that is there counts.
IGNORE_FILES = (".towpathignore", ".amlignore", ".gitignore")
_ALWAYS = (
    ".git/",
    "__pycache__/",
    ".towpath/",
    ".azureml/",
    ".ipynb_checkpoints/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
    "node_modules/",
    "*.pyc",
    ".DS_Store",
    *IGNORE_FILES,
)


@dataclass(frozen=True)
class _Rule:
    expression: re.Pattern[str]
    is_kept: bool
    folders_only: bool


class Ignored:
    """The rules of one folder, judged as Git does: the last rule that matches counts."""

    def __init__(self, lines: list[str]) -> None:
        """Read the rules; comments and empty lines are none."""
        self._rules = [rule for line in (*_ALWAYS, *lines) if (rule := _rule(line))]

    def __call__(self, path: str, is_folder: bool) -> bool:
        """Whether a file or folder, by its path below the source folder, stays at home."""
        ignored = False
        for rule in self._rules:
            if (is_folder or not rule.folders_only) and rule.expression.fullmatch(path):
                ignored = not rule.is_kept
        return ignored


def ignored_in(folder: Path) -> tuple[Ignored, str | None]:
    """Return the rules of a folder, and the name of the file that they come from."""
    for name in IGNORE_FILES:
        file = folder / name
        if file.is_file():
            return Ignored(file.read_text(encoding="utf-8", errors="replace").splitlines()), name
    return Ignored([]), None


def _rule(line: str) -> _Rule | None:
    text = line.rstrip() if not line.endswith("\\ ") else line.rstrip("\n")
    is_kept = text.startswith("!")
    text = text[1:] if is_kept else text
    if not text or text.startswith("#"):
        return None
    folders_only = text.endswith("/")
    pattern = text.rstrip("/")
    is_anchored = "/" in pattern
    expression = _expression(pattern.lstrip("/"))
    return _Rule(re.compile(expression if is_anchored else f"(?:.*/)?{expression}"), is_kept, folders_only)


def _expression(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|/\*\*$|\*|\?|\[!?[^]]+\]|\\.)", pattern)
    return "".join(_piece(piece) for piece in pieces if piece)


def _piece(piece: str) -> str:
    fixed = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    if piece in fixed:
        return fixed[piece]
    if piece.startswith("["):
        return piece.replace("[!", "[^").replace("\\", "\\\\")
    return re.escape(piece[1:] if piece.startswith("\\") else piece)
