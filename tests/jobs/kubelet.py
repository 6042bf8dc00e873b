"""How the kubelet expands `$(NAME)` and `$$` in command, args and env, as its source has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def expand(text: str, variables: Mapping[str, str]) -> str:
    """What the process gets: `$$` is one `$`, `$(NAME)` its value if there is one, everything else itself."""
    result, position = "", 0
    while position < len(text):
        if text[position] != "$" or position + 1 == len(text):
            result += text[position]
            position += 1
            continue
        piece, length = _after_dollar(text[position + 1 :], variables)
        result += piece
        position += 1 + length
    return result


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    """The variables with a value of a container, in order: later ones may name earlier ones."""
    variables: dict[str, str] = {}
    for entry in container["env"]:
        if "value" in entry:
            variables[entry["name"]] = expand(entry["value"], variables)
    return variables


def _after_dollar(rest: str, variables: Mapping[str, str]) -> tuple[str, int]:
    if rest[0] == "$":
        return "$", 1
    end = rest.find(")")
    if rest[0] == "(" and end > 0:
        name = rest[1:end]
        return variables.get(name, f"$({name})"), end + 1
    return (f"${rest[0]}", 1) if rest[0] != "(" else ("$(", 1)
