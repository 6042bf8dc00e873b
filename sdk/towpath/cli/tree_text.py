"""A graph, from one of its nodes → the lines of a tree. A node that comes again is not unfolded again. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from towpath.cli.ancestry import Ancestry
from towpath.cli.printable import printable

Edges = Mapping[str, Mapping[str, str]]


def tree_lines(graph: Ancestry, start: str, edges: Edges) -> Iterator[str]:
    """The node, and below it all that the edges lead to."""
    yield _words(graph, start)
    seen = {start}
    # By hand, not by recursion: a chain of thousand steps is deeper than Python calls.
    ahead = _below(edges, start, "")
    while ahead:
        name, label, indent, is_last = ahead.pop()
        again = name in seen
        seen.add(name)
        more = " (see above)" if again and edges.get(name) else ""
        yield f"{indent}{'└─' if is_last else '├─'} {_labelled(label)}{_words(graph, name)}{more}"
        if not again:
            ahead.extend(_below(edges, name, indent + ("   " if is_last else "│  ")))


def _below(edges: Edges, name: str, indent: str) -> list[tuple[str, str, str, bool]]:
    found = sorted(edges.get(name, {}).items())
    return [(one, label, indent, place == len(found) - 1) for place, (one, label) in enumerate(found)][::-1]


def _words(graph: Ancestry, name: str) -> str:
    note = graph.nodes[name].note if name in graph.nodes else ""
    return printable(name) + (f"  ({printable(note)})" if note else "")


def _labelled(label: str) -> str:
    return f"{printable(label)}: " if label else ""
