""" "Did you mean": hints for names and keywords that do not exist. Standard library only: steps get it too."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TypeVar

from towpath.errors import DefinitionError
from towpath.flow import near_names

Function = TypeVar("Function", bound=Callable[..., object])


def near(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: near ones, else ten of those that exist."""
    return near_names.near(name, known, 10)


def checks_keywords(function: Function) -> Function:
    """Let a function's TypeError for an unknown keyword say which one was meant."""
    parameters = inspect.signature(function).parameters
    known = [name for name in parameters if name != "self"]

    @functools.wraps(function)
    def checked(*args: object, **keywords: object) -> object:
        for name in keywords:
            if name not in parameters:
                raise TypeError(_unknown_keyword(function.__qualname__, name, known))
        return function(*args, **keywords)

    return checked  # type: ignore[return-value]  # it takes and gives what the function does


def one_of(what: str, value: object, allowed: Iterable[str]) -> str:
    """Return a choice in lower case; DefinitionError names what may be chosen."""
    choices = list(allowed)
    given = value.lower() if isinstance(value, str) else ""
    if given not in choices:
        raise DefinitionError(f"{what} is one of {', '.join(choices)}, not {value!r}. {near(given, choices)}")
    return given


def _unknown_keyword(function: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known)}"
    return f"{function.replace('.__init__', '')} has no keyword {name}: {hint}"
