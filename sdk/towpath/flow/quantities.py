"""Kubernetes quantities (`512Mi`, `0.5`, `2e3`) as exact numbers."""

from __future__ import annotations

import re
from decimal import Decimal

Quantity = int | float | str

_BINARY = {name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{name: Decimal(1000) ** power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
}
_SUFFIXES = _BINARY | _DECIMAL
# Of exponents three digits: more stand for no number of anything, and would overflow.
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)(?P<suffix>[A-Za-z]*)",
    re.ASCII,
)


def amount(quantity: Quantity) -> Decimal:
    """The number that a quantity stands for; ValueError if it is none."""
    matched = _QUANTITY.fullmatch(str(quantity))
    if matched is None or matched["suffix"] not in _SUFFIXES:
        raise ValueError(
            f"{quantity!r} is no quantity: write a number, perhaps with a unit such as 500m or 2Gi"
        )
    return Decimal(matched["number"]) * _SUFFIXES[matched["suffix"]]
