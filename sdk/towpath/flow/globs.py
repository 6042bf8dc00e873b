"""Glob patterns over paths: `*` and `?` within a name, `[abc]`, `[a-z]` and `[!x]` one character, `**` any depth.

`**` stands for whole names only, zero or more of them; as the last part it stands for at least one, so that it
matches files. A `[` without its `]` stands for itself. No backtracking but to the last star: hostile keys and
patterns cost at most their lengths' product. Sources and views share this one engine; standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

MAGIC = "*?["

Item = TypeVar("Item")
Matcher = Callable[[Item], bool]


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
def _part_matchers(parts: tuple[str, ...]) -> list[Matcher[str] | None]:
    return [None if part == "**" else _name_matcher(part) for part in parts]


def _name_matcher(part: str) -> Matcher[str]:
    characters = _characters(part)
    return lambda name: _matches(characters, name)


def _matches(pattern: Sequence[Matcher[Item] | None], items: Sequence[Item]) -> bool:
    """Whether the items fit a pattern of one matcher per item; None fits any number of them."""
    place = item = 0
    star, resume = -1, 0
    while item < len(items):
        matcher = pattern[place] if place < len(pattern) else _nothing
        if matcher is None:
            star, resume = place, item
            place += 1
        elif matcher(items[item]):
            place, item = place + 1, item + 1
        elif star >= 0:
            resume += 1
            place, item = star + 1, resume
        else:
            return False
    return all(matcher is None for matcher in pattern[place:])


def _nothing(item: object) -> bool:  # noqa: ARG001 - matches no item, whatever it is
    return False


def _characters(part: str) -> list[Matcher[str] | None]:
    matchers: list[Matcher[str] | None] = []
    place = 0
    while place < len(part):
        character = part[place]
        end = part.find("]", place + (3 if part.startswith("[!", place) else 2)) if character == "[" else -1
        if character == "*":
            matchers.append(None)
        elif character == "?":
            matchers.append(_anything)
        elif end > 0:
            matchers.append(_one_of(part[place + 1 : end]))
            place = end
        else:
            matchers.append(character.__eq__)
        place += 1
    return matchers


def _anything(item: object) -> bool:  # noqa: ARG001 - matches any item
    return True


def _one_of(members: str) -> Matcher[str]:
    negated = members.startswith("!")
    ranges = _ranges(members.removeprefix("!"))
    return lambda character: negated != any(first <= character <= last for first, last in ranges)


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
