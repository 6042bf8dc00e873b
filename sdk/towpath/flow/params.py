"""Parameters: declared types and a run's values → one canonical text each, the same wherever it is computed.

A number or boolean may also be given as a string, since YAML readers differ on plain scalars such as 1e-3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from towpath.api.pipeline import Param, ParamType
from towpath.flow.conditions import RunReason
from towpath.flow.near_names import near
from towpath.flow.stalled import StalledError

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# What a 64-bit float holds exactly; a whole number beyond it is written as a float.
_EXACT = 2**53
_TEXT_LIMIT = 131_072


def param_texts(declared: Sequence[Param], given: Mapping[str, Any]) -> dict[str, str]:
    """The canonical text of every parameter; StalledError for one unknown, missing or not of its type."""
    _refuse_unknown([param.name for param in declared], given)
    _refuse_alike([param.name for param in declared])
    return {param.name: _text_of(param, given.get(param.name, param.default)) for param in declared}


def canonical_text(type_: ParamType, value: object) -> str | None:
    """The text of a value of this type, or None if it is not of this type."""
    match type_:
        case ParamType.STRING:
            return value if isinstance(value, str) and "\0" not in value else None
        case ParamType.BOOLEAN:
            return _boolean(value)
        case ParamType.INTEGER:
            return _integer(value)
        case ParamType.NUMBER:
            return _number(value)


def _refuse_unknown(declared: Sequence[str], given: Mapping[str, Any]) -> None:
    for name in sorted(given):
        if name not in declared:
            raise _invalid(
                f"The run gives the parameter {name}, which the pipeline does not have. {near(name, declared)}"
            )


def _refuse_alike(declared: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in declared:
        other = seen.setdefault(name.upper(), name)
        if other != name:
            raise StalledError(
                RunReason.INVALID_PIPELINE,
                f"The parameters {other} and {name} would share the variable TOWPATH_PARAM_{name.upper()}: "
                "rename one.",
            )


def _text_of(param: Param, value: object) -> str:
    if value is None:
        raise _invalid(
            f"The parameter {param.name} ({param.type}) has no value and no default. Give it in spec.params."
        )
    text = canonical_text(param.type, value)
    if text is None:
        raise _invalid(
            f"The parameter {param.name} takes a value of type {param.type}, and {_shown(value)} is none. "
            f"{_how(param, value)}"
        )
    if len(text.encode(errors="surrogatepass")) > _TEXT_LIMIT:
        raise _invalid(
            f"The parameter {param.name} is longer than {_TEXT_LIMIT} bytes: hand it over as a dataset."
        )
    return text


def _how(param: Param, value: object) -> str:
    if param.type is not ParamType.STRING:
        return f"Give it a value of type {param.type}."
    if isinstance(value, str):
        return "A text with a NUL character cannot be given to a program: remove it."
    return f'Write it in quotes: {param.name}: "{_shown(value)}".'


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _boolean(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) and value in ("true", "false") else None


def _integer(value: object) -> str | None:
    if isinstance(value, str) and _INTEGER.fullmatch(value) and len(value) <= 20:
        return str(int(value))
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> str | None:
    whole = _integer(value)
    if whole is not None:
        return whole
    if isinstance(value, str) and _NUMBER.fullmatch(value) and len(value) <= 64:
        return _number(float(value))
    if not isinstance(value, float) or not math.isfinite(value):
        return None
    return repr(value)


def _invalid(message: str) -> StalledError:
    return StalledError(RunReason.INVALID_PARAMS, message)
