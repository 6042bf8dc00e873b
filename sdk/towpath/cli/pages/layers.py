"""Nodes and edges → places in a picture: columns by what must come before, few crossings, edges around nodes. Pure.

Sugiyama's way, in its simplest form: longest path for the columns, a stand-in wherever an edge passes a column, and
some sweeps that put each node at the middle of those it is joined to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 6
Edge = tuple[str, str]


@dataclass(frozen=True)
class Layers:
    """`columns` hold nodes and stand-ins from top to bottom; `routes` the stand-ins of each edge, in its order."""

    columns: tuple[tuple[str, ...], ...]
    routes: Mapping[Edge, tuple[str, ...]]


def layers_of(nodes: Sequence[str], edges: Iterable[Edge]) -> Layers:
    """The columns of a graph without circles; edges to nodes that are not there are left out."""
    known = set(nodes)
    kept = sorted({edge for edge in edges if edge[0] in known and edge[1] in known and edge[0] != edge[1]})
    column = _columns(nodes, kept)
    routes, joined = {}, list[Edge]()
    for source, target in kept:
        between = [_stand_in((source, target), place) for place in range(column[source] + 1, column[target])]
        routes[source, target] = tuple(between)
        column |= {name: column[source] + 1 + place for place, name in enumerate(between)}
        chain = [source, *between, target]
        joined += list(pairwise(chain))
    return Layers(_ordered(column, joined), routes)


def _columns(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    before: dict[str, list[str]] = {name: [] for name in nodes}
    after: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    left = {name: len(before[name]) for name in nodes}
    ready = [name for name in nodes if not left[name]]
    column = dict.fromkeys(nodes, 0)
    while ready:
        name = ready.pop()
        for target in after[name]:
            column[target] = max(column[target], column[name] + 1)
            left[target] -= 1
            if not left[target]:
                ready.append(target)
    # What only begins something stands right before it.
    for name in nodes:
        if not before[name] and after[name]:
            column[name] = min(column[target] for target in after[name]) - 1
    return column


def _ordered(column: Mapping[str, int], edges: Sequence[Edge]) -> tuple[tuple[str, ...], ...]:
    columns: list[list[str]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for name, place in column.items():
        columns[place].append(name)
    left: dict[str, list[str]] = {name: [] for name in column}
    right: dict[str, list[str]] = {name: [] for name in column}
    for source, target in edges:
        left[target].append(source)
        right[source].append(target)
    for sweep in range(_SWEEPS):
        joined, order = (left, columns) if sweep % 2 == 0 else (right, columns[::-1])
        for one in order:
            one.sort(key=_wishes(joined, columns).__getitem__)
    return tuple(map(tuple, columns))


def _wishes(joined: Mapping[str, Sequence[str]], columns: Sequence[Sequence[str]]) -> dict[str, float]:
    """How far down each node would be at the middle of those it is joined to; where it is, if it is to none."""
    place = {name: at for names in columns for at, name in enumerate(names)}
    return {
        name: sum(place[other] for other in others) / len(others) if others else place[name]
        for name, others in joined.items()
    }


def _stand_in(edge: Edge, place: int) -> str:
    # No name of a step or a version holds a NUL.
    return f"\0{place}\0{edge[0]}\0{edge[1]}"


def is_stand_in(name: str) -> bool:
    """Whether an edge passes here, and nothing stands here."""
    return name.startswith("\0")
