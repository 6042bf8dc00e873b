"""Kubernetes quantities (`512Mi`, `0.5`, `2e3`) as exact numbers, and the larger of two requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

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
_QUANTITY = re.compile(r"(?P<number>[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(?P<suffix>[A-Za-z]*)")


def amount(quantity: Quantity) -> Decimal:
    """The number that a quantity stands for; ValueError if it is none."""
    matched = _QUANTITY.fullmatch(str(quantity))
    if matched is None or matched["suffix"] not in _SUFFIXES:
        raise ValueError(
            f"{quantity!r} is no quantity: write a number, perhaps with a unit such as 500m or 2Gi"
        )
    return Decimal(matched["number"]) * _SUFFIXES[matched["suffix"]]


def half(quantity: Quantity) -> str:
    """Half of a quantity of bytes, in whole bytes."""
    return whole(amount(quantity) / 2)


def whole(number: Decimal) -> str:
    """A number of bytes as a quantity, rounded up."""
    return str(int(number.to_integral_value(ROUND_CEILING)))


def largest_resources(candidates: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Quantity]]:
    """The resources that suffice for each of the candidates: per name the largest request and the largest limit."""
    result: dict[str, dict[str, Quantity]] = {}
    for resources in candidates:
        for side in ("requests", "limits"):
            for name, quantity in resources.get(side, {}).items():
                chosen = result.setdefault(side, {})
                if name not in chosen or amount(quantity) > amount(chosen[name]):
                    chosen[name] = quantity
    return result
