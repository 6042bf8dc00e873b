"""Sizes of pods: half of a quantity, whole bytes as one, and the larger of two requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from towpath.flow.quantities import Quantity, amount

EPHEMERAL = "ephemeral-storage"


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
