"""Transforms as they stand in the API and in the plan ↔ transforms that can be applied.

The documents are plain: fields in camel case, numbers as whole numbers or decimal text, references replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from towpath.flow.globs import parse
from towpath.flow.transform_fields import Fields
from towpath.flow.transforms import (
    Columns,
    Filter,
    GroupBy,
    Part,
    Sample,
    Shard,
    Skip,
    Split,
    Take,
    Transform,
    TransformError,
    percent_text,
)

KINDS: Mapping[str, str] = {
    "sample": "percent seed exact",
    "split": "parts part seed exact groupBy",
    "take": "count",
    "skip": "count",
    "filter": "path minBytes maxBytes",
    "shard": "index count",
    "columns": "keep drop",
}
PART_FIELDS = "name percent"


def read_chain(documents: Iterable[object], drawn_seed: int | None = None) -> tuple[Transform, ...]:
    """Read a chain; a transform without a seed gets the drawn one, and is refused where there is none.

    One drawn seed does for all, since each place in a chain draws by itself; inputs that take parts of one
    split must be given the same.
    """
    return tuple(
        _read(document, f"transforms[{position}]", drawn_seed) for position, document in enumerate(documents)
    )


def chain_documents(chain: Iterable[Transform]) -> list[dict[str, Any]]:
    """Write a chain with all its seeds: equal ones give equal documents, however their numbers were written."""
    return [_written(transform) for transform in chain]


def _read(document: object, where: str, drawn_seed: int | None) -> Transform:
    given = Fields(document, where, " ".join(KINDS))
    if len(given.names()) != 1:
        raise TransformError(f"{where}: must hold exactly one of {', '.join(KINDS)}.")
    [kind] = given.names()
    fields = Fields(given.get(kind), f"{where}.{kind}", KINDS[kind])
    seed = drawn_seed if drawn_seed is not None and "seed" not in fields else None
    try:
        return _READERS[kind](fields, seed)
    except TransformError as error:
        # The types refuse what contradicts itself; they do not know where it stands.
        text = str(error)
        raise TransformError(text if text.startswith(fields.where) else f"{fields.where}.{text}") from None


def _sample(fields: Fields, drawn_seed: int | None) -> Sample:
    share = fields.share()
    if not share:
        fields.refuse("percent", "more than 0, since a sample of nothing is an empty input")
    return Sample(share, _seed(fields, drawn_seed), fields.flag("exact"))


def _split(fields: Fields, drawn_seed: int | None) -> Split:
    listed = fields.get("parts")
    if not isinstance(listed, list | tuple):
        fields.refuse("parts", "a list of parts")
    parts = tuple(_part(part, f"{fields.where}.parts[{index}]") for index, part in enumerate(listed))
    group = fields.get("groupBy")
    if group is not None and group not in tuple(GroupBy):
        fields.refuse("groupBy", " or ".join(GroupBy))
    group_by = None if group is None else GroupBy(str(group))
    return Split(parts, fields.text("part"), _seed(fields, drawn_seed), fields.flag("exact"), group_by)


def _part(document: object, where: str) -> Part:
    fields = Fields(document, where, PART_FIELDS)
    return Part(fields.text("name"), fields.share() if "percent" in fields else None)


def _seed(fields: Fields, drawn_seed: int | None) -> int:
    return fields.seed() if drawn_seed is None else drawn_seed


def _take(fields: Fields, _: int | None) -> Take:
    return Take(fields.whole("count"))


def _skip(fields: Fields, _: int | None) -> Skip:
    return Skip(fields.whole("count"))


def _filter(fields: Fields, _: int | None) -> Filter:
    if not fields.names():
        raise TransformError(f"{fields.where}: give it a path, minBytes or maxBytes, or remove it.")
    return Filter(
        parse(fields.text("path")) if "path" in fields else None,
        fields.whole("minBytes") if "minBytes" in fields else None,
        fields.whole("maxBytes") if "maxBytes" in fields else None,
    )


def _shard(fields: Fields, _: int | None) -> Shard:
    return Shard(fields.whole("index"), fields.whole("count", least=1))


def _columns(fields: Fields, _: int | None) -> Columns:
    if len(fields.names()) != 1:
        raise TransformError(f"{fields.where}: give it either keep or drop.")
    [how] = fields.names()
    return Columns(fields.words(how), how == "keep")


_READERS: Mapping[str, Callable[[Fields, int | None], Transform]] = {
    "sample": _sample,
    "split": _split,
    "take": _take,
    "skip": _skip,
    "filter": _filter,
    "shard": _shard,
    "columns": _columns,
}


def _written(transform: Transform) -> dict[str, Any]:
    match transform:
        case Sample(share, seed, exact):
            return {"sample": {"percent": _percent(share), "seed": seed} | _if_exact(exact)}
        case Split():
            return {"split": _written_split(transform)}
        case Take(count) | Skip(count):
            return {"take" if isinstance(transform, Take) else "skip": {"count": count}}
        case Filter(path, least, most):
            given = {"path": path and path.text(), "minBytes": least, "maxBytes": most}
            return {"filter": {name: value for name, value in given.items() if value is not None}}
        case Shard(index, count):
            return {"shard": {"index": index, "count": count}}
        case Columns(names, is_kept):
            return {"columns": {"keep" if is_kept else "drop": list(names)}}


def _written_split(split: Split) -> dict[str, Any]:
    group = {} if split.group_by is None else {"groupBy": split.group_by.value}
    parts = [_written_part(part) for part in split.parts]
    return {"parts": parts, "part": split.part, "seed": split.seed} | _if_exact(split.exact) | group


def _written_part(part: Part) -> dict[str, Any]:
    return {"name": part.name} if part.share is None else {"name": part.name, "percent": _percent(part.share)}


def _if_exact(exact: bool) -> dict[str, Any]:
    return {"exact": True} if exact else {}


def _percent(share: Fraction) -> int | str:
    text = percent_text(share)
    return text if "." in text else int(text)
