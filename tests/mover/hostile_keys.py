"""The hostile corpus of keys: what anybody may write into a bucket below `in/`, and what becomes of a dataset of it.

A key is bytes, for not every store insists on UTF-8. docs/reference/sources.md has the table for users.
"""

from __future__ import annotations

from typing import NamedTuple

from towpath_mover.failures import Reason

FOLDER = b"in/"


class Hostile(NamedTuple):
    """Keys in one bucket: why they are refused, and words of that; without a reason, the files that they give."""

    keys: tuple[bytes, ...]
    reason: Reason | None = None
    words: str = ""
    files: tuple[str, ...] = ()


def corpus() -> dict[str, Hostile]:
    """Each hostile thing by its name."""
    return _refused() | _given()


def _refused() -> dict[str, Hostile]:
    control = "it holds a control character"
    empty = "it has an empty part or a `.` part"
    one = {
        "dots": (b"in/../etc/passwd", "it leaves its folder by `..`"),
        "dots at the end": (b"in/a/..", "it leaves its folder by `..`"),
        "absolute": (b"in//etc/passwd", "it is absolute"),
        "an empty part": (b"in/a//b", empty),
        "a dot": (b"in/a/./b", empty),
        "a marker that holds something": (b"in/folder/", empty),
        "tab": (b"in/a\tb", control),
        "newline": (b"in/a\nb", control),
        "carriage return": (b"in/a\r", control),
        "escape": (b"in/\x1b[2J", control),
        "delete": (b"in/a\x7f", control),
        "nothing": (b"in/a\x00b", control),
        "no UTF-8": (b"in/caf\xe9", "is not UTF-8"),
        "half a character": (b"in/\xf0\x9f\xa6", "is not UTF-8"),
        "256 bytes": (b"in/" + b"n" * 256, "longer than 255 bytes"),
        "256 bytes of few letters": (b"in/" + "日".encode() * 86, "longer than 255 bytes"),
        "5,000 levels": (b"in/" + b"d/" * 5000 + b"f", "longer than 4095 bytes"),
    }
    found = {name: Hostile((key,), Reason.UNSAFE_KEY, words) for name, (key, words) in one.items()}
    both = "is a file and also the folder of"
    return found | {
        "a file that is a folder": Hostile((b"in/x", b"in/x/y"), Reason.FILE_AND_FOLDER, both),
        "with others between": Hostile((b"in/x", b"in/x-", b"in/x/y"), Reason.FILE_AND_FOLDER, both),
    }


def _given() -> dict[str, Hostile]:
    plain = {
        "a backslash": ("a\\b", "..\\..\\x"),
        "equal but for case": ("README", "readme", "Readme"),
        "equal to the eye": ("caf\u00e9", "cafe\u0301"),
        "255 bytes": ("n" * 255, "日" * 85),
        "2,000 levels": ("d/" * 2000 + "f",),
        "escaped already": ("%2e%2e/x", "%2Fetc", "a%00", "%", "a+b c"),
        "dots that lead nowhere": ("...", "..a", "a..", ".hidden", "a/.../b"),
        "what shells and flags mean": ("-rf", "$(id)", "`id`", "a;b", "*", "~", "'\"<>&"),
        "from right to left": ("\u202etxt.exe",),
        "a line separator": ("a\u2028b",),
    }
    given = {name: Hostile(tuple(map(_key, files)), files=files) for name, files in plain.items()}
    return given | {"markers of folders": Hostile((b"in/", b"in/a/", b"in/a/b"), files=("a/b",))}


def _key(file: str) -> bytes:
    return FOLDER + file.encode()


def content_of(key: bytes) -> bytes:
    """What an object of the corpus holds: nothing where it marks a folder, else bytes of its own."""
    return b"" if key in (b"in/", b"in/a/") else b"content of " + key[-40:]
