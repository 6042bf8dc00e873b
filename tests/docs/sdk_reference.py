"""`python -m docs.sdk_reference`: the page about the SDK, from its signatures and docstrings.

Pages of Towpath are written by hand where they explain, and made where they list.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import towpath

PAGE = Path(__file__).parents[2] / "docs/reference/sdk.md"
HEAD = """# The SDK, name by name

Made by `make generate` from the code: do not edit. Every name comes from `towpath`, which loads nothing before it is
asked for. [The tutorial](../tutorial.md) shows how they go together, and
[Move from Azure ML SDK v1](../how-to/move-from-azure-ml.md) what differs from there.
"""
_DEFAULT_OBJECT = re.compile(r" at 0x[0-9a-f]+")


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for name in towpath.__all__ for line in _about(name))])


def _about(name: str) -> Iterator[str]:
    thing = getattr(towpath, name)
    yield f"## {name}\n"
    if issubclass(thing, Enum):
        yield f"{_words(thing)}\n\nOne of {', '.join(f'`{member.name}`' for member in thing)}.\n"
        return
    if not issubclass(thing, BaseException):
        yield f"```text\n{name}{_signature(thing)}\n```\n"
    yield f"{_words(thing)}\n"
    entries = [entry for member in sorted(_members(thing)) if (entry := _entry(thing, member))]
    if entries:
        yield "\n".join(entries) + "\n"


def _members(thing: type) -> set[str]:
    """What the class and those of Towpath that it is made of have; an exception's own nature aside."""
    ours = [base for base in thing.__mro__ if base.__module__.startswith("towpath")]
    return {name for base in ours for name in vars(base) if not name.startswith("_")}


def _entry(thing: type, name: str) -> str | None:
    member = inspect.getattr_static(thing, name)
    if isinstance(member, property):
        return f"- `{name}`: {_words(member)}"
    function = member.__func__ if isinstance(member, staticmethod | classmethod) else member
    if not inspect.isfunction(function):
        return None
    return f"- `{name}{_signature(function)}`: {_words(function)}"


def _signature(thing: object) -> str:
    """The parameters with their defaults; what types they have is for editors to show."""
    signature = inspect.signature(thing)  # type: ignore[arg-type]
    plain = [
        one.replace(annotation=inspect.Parameter.empty)
        for one in signature.parameters.values()
        if one.name not in ("self", "cls")
    ]
    text = str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    return _DEFAULT_OBJECT.sub("", text)


def _words(thing: object) -> str:
    """The docstring as one paragraph after another, each on one line."""
    text = inspect.getdoc(thing) or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


if __name__ == "__main__":
    PAGE.write_text(page())
