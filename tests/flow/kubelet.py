"""What the kubelet does to command, args and env before it starts a process: a model of it, byte by byte.

It follows the rules of `third_party/forked/golang/expansion`: `$$` is a `$`, `$(NAME)` a variable's value or,
unknown, itself; a `$` before any other byte keeps that byte, read as a code point of its own (so a multi-byte
character after a single `$` comes out mangled).
"""

from __future__ import annotations

from collections.abc import Mapping

_DOLLAR, _OPEN, _CLOSE = b"$"[0], b"("[0], b")"[0]


def expand(text: str, variables: Mapping[str, str]) -> str:
    """What the process gets for this text."""
    source, out, cursor = text.encode(), bytearray(), 0
    while cursor < len(source):
        if source[cursor] != _DOLLAR or cursor + 1 == len(source):
            out.append(source[cursor])
            cursor += 1
            continue
        piece, length = _after_dollar(source[cursor + 1 :], variables)
        out += piece
        cursor += 1 + length
    return out.decode()


def _after_dollar(rest: bytes, variables: Mapping[str, str]) -> tuple[bytes, int]:
    if rest[0] == _DOLLAR:
        return b"$", 1
    if rest[0] != _OPEN:
        return b"$" + chr(rest[0]).encode(), 1
    end = rest.find(bytes([_CLOSE]), 1)
    if end < 0:
        return b"$(", 1
    name = rest[1:end].decode(errors="replace")
    unknown = b"$(" + rest[1:end] + b")"
    return (variables[name].encode() if name in variables else unknown), end + 1
