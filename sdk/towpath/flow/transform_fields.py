"""The fields of one object of a transform's document, each read as what it must be or refused by its name.

Numbers are read as they are written: 12.5 percent is 125/1000, never the nearest float.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NoReturn

from towpath.flow.transforms import TransformError

_WHOLE = re.compile(r"[0-9]{1,18}")
_SEED = re.compile(r"-?[0-9]{1,19}")
# With an exponent too: so a parameter of type number writes a small one.
_DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,18})?(e-[0-9]{1,2})?")
_FINEST = 10**18
_SHOWN = 60


class Fields:
    """An object at `where`, which holds none but the known fields; null is as good as absent."""

    def __init__(self, document: object, where: str, known: str) -> None:
        self.where = where
        if not isinstance(document, Mapping):
            raise TransformError(f"{where}: must be an object with {known.replace(' ', ', ')}.")
        self._fields = {name: value for name, value in document.items() if value is not None}
        for name in self._fields:
            if name not in known.split():
                raise TransformError(
                    f"{where}: has no field {_shown(name)}; its fields are {known.replace(' ', ', ')}."
                )

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def names(self) -> tuple[str, ...]:
        """The fields that are given."""
        return tuple(self._fields)

    def get(self, name: str) -> object:
        """The value of a field as it is, or None."""
        return self._fields.get(name)

    def refuse(self, name: str, expected: str) -> NoReturn:
        """Raise TransformError: this field is not what is expected."""
        found = f"{_shown(self.get(name))} is none" if name in self else "it is missing"
        raise TransformError(f"{self.where}.{name}: takes {expected}; {found}.")

    def text(self, name: str) -> str:
        """A text that is not empty."""
        value = self.get(name)
        return value if isinstance(value, str) and value else self.refuse(name, "a text")

    def words(self, name: str) -> tuple[str, ...]:
        """A list of texts, none of them empty or there twice."""
        value = self.get(name)
        if not isinstance(value, list | tuple) or not value:
            self.refuse(name, "a list of texts")
        if not all(isinstance(word, str) and word for word in value) or len(set(value)) != len(value):
            self.refuse(name, "a list of texts of which none is empty or there twice")
        return tuple(value)

    def flag(self, name: str) -> bool:
        """A boolean; false where it is not given."""
        value = self._fields.get(name, False)
        return value if isinstance(value, bool) else self.refuse(name, "true or false")

    def whole(self, name: str, least: int = 0) -> int:
        """A whole number of records, bytes or shards."""
        text = self._number(name)
        if not _WHOLE.fullmatch(text) or int(text) < least:
            self.refuse(name, f"a whole number from {least}, of at most 18 digits")
        return int(text)

    def seed(self) -> int:
        """Any integer."""
        text = self._number("seed")
        return int(text) if _SEED.fullmatch(text) else self.refuse("seed", "an integer of at most 19 digits")

    def share(self) -> Fraction:
        """The field `percent` as a share of 1, exactly."""
        text = self._number("percent")
        percent = Fraction(text) if _DECIMAL.fullmatch(text) else None
        if percent is None or percent > 100 or _FINEST % percent.denominator:
            self.refuse("percent", 'a number from 0 to 100: whole, or a text such as "12.5"')
        return percent / 100

    def _number(self, name: str) -> str:
        value = self.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return value if isinstance(value, str) else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
