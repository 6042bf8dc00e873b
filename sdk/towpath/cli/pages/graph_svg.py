"""A graph → a picture of it as SVG: boxes in columns from left to right, curves with bytes and seconds. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from towpath.cli.pages.graph import Edge, Graph, Node
from towpath.cli.pages.layers import Layers, is_stand_in, layers_of
from towpath.cli.pages.markup import Markup, element

WIDTH, HEIGHT = 176, 62
ACROSS, DOWN, EDGE = 104, 26, 14
MOST_LETTERS = 20
# Wider ones are scrolled: made to fit, their words could not be read.
FIT = 1500
# A picture of more could not be read; the tables say all.
MOST_NODES = 400
Point = tuple[float, float]


def graph_svg(graph: Graph) -> Markup | None:
    """The picture; None where there would be too much in it, or nothing."""
    if not graph.nodes or len(graph.nodes) > MOST_NODES:
        return None
    layers = layers_of(
        [node.id for node in graph.nodes], [(edge.source, edge.target) for edge in graph.edges]
    )
    places = _places(layers)
    nodes = {node.id: node for node in graph.nodes}
    known = [edge for edge in graph.edges if edge.source in nodes and edge.target in nodes]
    routes = [(edge, _route(edge, layers, places, nth)) for edge, nth in _numbered(known)]
    width = EDGE * 2 + len(layers.columns) * WIDTH + max(len(layers.columns) - 1, 0) * ACROSS
    height = EDGE + max(y for _, y in places.values()) + HEIGHT / 2
    return element(
        "svg",
        element("title", "The steps of the run and the data between them"),
        # Words come last, so that no curve goes through them.
        *(_edge(edge, route) for edge, route in routes),
        *(_label(edge, route) for edge, route in routes),
        *(
            _node(nodes[name], places[name])
            for column in layers.columns
            for name in column
            if not is_stand_in(name)
        ),
        width=_number(width),
        height=_number(height),
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        class_="fit" if width <= FIT else None,
        role="img",
        aria_label="Graph of the run: the steps and the data between them; the table of steps says the same in words.",
    )


def _places(layers: Layers) -> dict[str, Point]:
    """The middle of each box; columns are centred on one another."""
    tallest = max(len(column) for column in layers.columns)
    places = {}
    for across, column in enumerate(layers.columns):
        above = (tallest - len(column)) / 2
        for down, name in enumerate(column):
            x = EDGE + across * (WIDTH + ACROSS) + WIDTH / 2
            places[name] = x, EDGE + (above + down) * (HEIGHT + DOWN) + HEIGHT / 2
    return places


def _numbered(edges: Sequence[Edge]) -> list[tuple[Edge, tuple[int, int]]]:
    """Each edge with its number among those into the same box, and how many these are."""
    into: dict[str, list[Edge]] = {}
    for edge in edges:
        into.setdefault(edge.target, []).append(edge)
    return [(edge, (into[edge.target].index(edge), len(into[edge.target]))) for edge in edges]


def _route(edge: Edge, layers: Layers, places: Mapping[str, Point], nth: tuple[int, int]) -> list[Point]:
    between = [places[name] for name in layers.routes.get((edge.source, edge.target), ())]
    (from_x, from_y), (to_x, to_y) = places[edge.source], places[edge.target]
    around = [(x + side, y) for x, y in between for side in (-WIDTH / 2, WIDTH / 2)]
    # Several edges into one box come in below one another.
    number, count = nth
    below = (number - (count - 1) / 2) * min(14, (HEIGHT - 14) / count)
    return [(from_x + WIDTH / 2, from_y), *around, (to_x - WIDTH / 2 - 7, to_y + below)]


def _edge(edge: Edge, route: list[Point]) -> Markup:
    x, y = route[-1]
    head = element("path", d=f"M{_number(x)} {_number(y - 4)}l7 4l-7 4z", class_="head")
    curve = element("path", d=_curve(route), class_=f"edge{' after' if edge.is_order else ''}")
    return element("g", element("title", edge.words), curve, head)


def _label(edge: Edge, route: list[Point]) -> Markup | None:
    (x, y), (to_x, to_y) = route[-2:]
    return (
        _text(edge.label, ((x + to_x) / 2, (y + to_y) / 2 - 5), "label small quiet", "middle")
        if edge.label
        else None
    )


def _curve(route: list[Point]) -> str:
    parts = [f"M{_number(route[0][0])} {_number(route[0][1])}"]
    for (x, y), (to_x, to_y) in pairwise(route):
        half = _number((x + to_x) / 2)
        parts.append(f"C{half} {_number(y)} {half} {_number(to_y)} {_number(to_x)} {_number(to_y)}")
    return "".join(parts)


def _node(node: Node, place: Point) -> Markup:
    x, y = place
    is_step = node.anchor is not None
    box = element(
        "rect",
        x=_number(x - WIDTH / 2),
        y=_number(y - HEIGHT / 2),
        width=WIDTH,
        height=HEIGHT,
        rx=4 if is_step else HEIGHT // 2,
        class_=f"node {node.mark}".strip(),
    )
    up = 9 if node.below else 0
    name = _text(_cut(node.title), (x, y - 3 - up), "", "middle")
    line = _text(_cut(node.line), (x, y + 14 - up), f"small {node.mark or 'quiet'}", "middle")
    below = _text(node.below, (x, y + 22), "small quiet", "middle") if node.below else None
    words = f"{node.title}: {node.line}" + (f"; data {node.below}" if node.below else "")
    drawn = element("g", element("title", words), box, name, line, below)
    return element("a", drawn, href=f"#{node.anchor}") if node.anchor else drawn


def _text(words: str, place: Point, class_: str, anchor: str) -> Markup:
    return element(
        "text", words, x=_number(place[0]), y=_number(place[1]), class_=class_ or None, text_anchor=anchor
    )


def _cut(words: str) -> str:
    return words if len(words) <= MOST_LETTERS else words[: MOST_LETTERS - 1] + "…"


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
