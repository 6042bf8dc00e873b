"""Glob patterns over paths: `*` and `?` within a name, `[abc]`, `[a-z]` and `[!x]` one character, `**` any depth.

`**` stands for whole names only, zero or more of them; as the last part it stands for at least one, so that it
matches files. A `[` without its `]` stands for itself. No backtracking but to the last star: hostile keys and
patterns cost at most their lengths' product. Sources and views share this one engine; standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

MAGIC = "*?["

Matcher = Callable[[str], object]


class Glob(NamedTuple):
    """A pattern, ready to be matched; `base` is the folder (empty, or ending in `/`) that holds all its matches."""

    base: str
    parts: tuple[str, ...]

    def matches(self, path: str) -> bool:
        """Whether a path below the base, given without it, matches."""
        return _matches(_part_matchers(self.parts), path.split("/"))

    def text(self) -> str:
        """The pattern as text; a last `**` is written `**/*`, which means the same."""
        return self.base + "/".join(self.parts)

    def fits(self, path: str) -> bool:
        """Whether a whole path matches."""
        return path.startswith(self.base) and self.matches(path[len(self.base) :])


def is_glob(path: str) -> bool:
    """Whether a path holds a character that makes it a pattern."""
    return any(character in path for character in MAGIC)


def parse(pattern: str) -> Glob:
    """Return the pattern, split where its first magic name begins."""
    parts = pattern.split("/")
    plain = 0
    while plain < len(parts) - 1 and not is_glob(parts[plain]):
        plain += 1
    base = "".join(f"{part}/" for part in parts[:plain])
    rest = parts[plain:]
    # As the last part, `**` is a file at any depth: any folders, then one name.
    return Glob(base, tuple([*rest[:-1], "**", "*"] if rest[-1] == "**" else rest))


@cache
def _part_matchers(parts: tuple[str, ...]) -> list[Matcher | None]:
    return [None if part == "**" else re.compile(_expression(part), re.DOTALL).fullmatch for part in parts]


def _matches(pattern: Sequence[Matcher | None], names: Sequence[str]) -> bool:
    """Whether the names fit a pattern of one matcher per name; None fits any number of them."""
    place = item = 0
    star, resume = -1, 0
    while item < len(names):
        matcher = pattern[place] if place < len(pattern) else _nothing
        if matcher is None:
            star, resume = place, item
            place += 1
        elif matcher(names[item]):
            place, item = place + 1, item + 1
        elif star >= 0:
            resume += 1
            place, item = star + 1, resume
        else:
            return False
    return all(matcher is None for matcher in pattern[place:])


def _nothing(name: str) -> None:
    """Match no name."""


def _expression(part: str) -> str:
    """The regular expression of one name of the pattern."""
    first, *others = _between_stars(part)
    if not others:
        return first
    # What stands between two stars is found once, as early as it can be, and never looked for again.
    between = "".join(f"(?>.*?{piece})" for piece in others[:-1] if piece)
    return f"{first}{between}.*{others[-1]}"


def _between_stars(part: str) -> list[str]:
    pieces = [""]
    place = 0
    while place < len(part):
        character = part[place]
        end = part.find("]", place + (3 if part.startswith("[!", place) else 2)) if character == "[" else -1
        if character == "*":
            pieces.append("")
        elif character == "?":
            pieces[-1] += "."
        elif end > 0:
            pieces[-1] += _one_of(part[place + 1 : end])
            place = end
        else:
            pieces[-1] += re.escape(character)
        place += 1
    return pieces


def _one_of(members: str) -> str:
    negated = members.startswith("!")
    ranges = _ranges(members.removeprefix("!"))
    listed = "".join(f"{re.escape(first)}-{re.escape(last)}" for first, last in ranges if first <= last)
    if listed:
        return f"[^{listed}]" if negated else f"[{listed}]"
    return "." if negated else "(?!)"


def _ranges(members: str) -> list[tuple[str, str]]:
    ranges = []
    place = 0
    while place < len(members):
        if members[place + 1 : place + 2] == "-" and place + 2 < len(members):
            ranges.append((members[place], members[place + 2]))
            place += 3
        else:
            ranges.append((members[place], members[place]))
            place += 1
    return ranges
