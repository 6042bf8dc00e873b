"""Texts of others → texts for a terminal: names, messages and logs are whatever somebody wrote into them."""

from __future__ import annotations

import re

# What only colours a line; a log may do that, and nothing else, to the terminal of who reads it.
_COLOUR = re.compile(r"(\x1b\[[0-9;]{0,32}m)")
_RESET = "\x1b[0m"


def printable(text: str) -> str:
    """The text on one line, each character that would control a terminal or turn its direction shown as an escape."""
    return "".join(_shown(letter) for letter in text)


def log_line(text: str, colours: bool) -> str:
    """A line of a log: as `printable`, but that tabs stay, and its colours where they are wanted."""
    parts = _COLOUR.split(text)
    if not colours:
        return "".join(_line(part) for part in parts[::2])
    shown = "".join(part if place % 2 else _line(part) for place, part in enumerate(parts))
    return shown + (_RESET if len(parts) > 1 else "")


def _line(text: str) -> str:
    return "\t".join(map(printable, text.split("\t")))


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    # No surrogate can be written to a terminal in UTF-8 either.
    return letter.encode("unicode_escape").decode()
