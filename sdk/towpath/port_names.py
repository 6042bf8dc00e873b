"""Names of inputs, outputs and steps: refused where they are written, with the form that would do.

Standard library only: steps get it too.
"""

from __future__ import annotations

import re

from towpath.errors import DefinitionError

_PORT = re.compile(r"[a-z][a-z0-9_]{0,62}")
_STEP = re.compile(r"[a-z]([a-z0-9_-]{0,61}[a-z0-9])?")
_PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def check_port(what: str, name: str) -> str:
    """Return the name of an input or output, if it may be one."""
    if not isinstance(name, str) or not _PORT.fullmatch(name):
        raise DefinitionError(
            f"{what} cannot be named {name!r}: lower-case letters, digits and _ , a letter first, at most 63. "
            f"Write {port_name(str(name))!r}."
        )
    return name


def check_step(name: str) -> str:
    """Return the name of a step, if it may be one."""
    if not isinstance(name, str) or not _STEP.fullmatch(name):
        raise DefinitionError(
            f"A step cannot be named {name!r}: lower-case letters, digits, - and _, a letter first, at most 63. "
            f"Write {step_name(str(name))!r}."
        )
    return name


def check_param(name: str) -> str:
    """Return the name of a parameter, if it may be one."""
    if not isinstance(name, str) or not _PARAM.fullmatch(name):
        raise DefinitionError(
            f"A parameter cannot be named {name!r}: letters, digits and _, no digit first, at most 63."
        )
    return name


def port_name(text: str) -> str:
    """Return the nearest name of an input or output: `raw-data` becomes `raw_data`."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:63]
    return plain if plain[:1].isalpha() else f"data_{plain}".rstrip("_")[:63]


def step_name(text: str) -> str:
    """Return the nearest name of a step: `Train model` becomes `train_model`."""
    plain = re.sub(r"[^a-z0-9-]+", "_", text.lower()).strip("_-")[:63].rstrip("_-")
    return plain if plain[:1].isalpha() else f"step_{plain}".rstrip("_-")[:63]
