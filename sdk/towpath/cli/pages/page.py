"""A title and sections → a whole page that fetches nothing and runs nothing, by its own policy."""

from __future__ import annotations

import base64
import hashlib

from towpath import __version__
from towpath.cli.pages.markup import Child, Markup, element, join
from towpath.cli.pages.style import state_class, style

_STYLE = style()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# The browser keeps to it even if a text were to become markup: no script, nothing from anywhere.
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"


def page(
    title: str, *sections: Child, above: Child = None, made: str = "", refresh: int | None = None
) -> Markup:
    """The page; `above` stands over the title, `made` says when and of what it was made."""
    head = element(
        "head",
        Markup('<meta charset="utf-8">'),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="referrer" content="no-referrer">'),
        element("meta", http_equiv="refresh", content=refresh) if refresh else None,
        element("title", f"{title} - Towpath"),
        element("style", Markup(_STYLE)),
    )
    body = element(
        "body",
        element("header", above, element("h1", title)),
        element("main", *sections),
        element("footer", element("p", f"{made} Towpath {__version__}.".strip())),
    )
    return Markup(f'<!doctype html>\n<html lang="en">{head}{body}</html>\n')


def section(title: str, *children: Child) -> Markup:
    """A part of a page, with its heading."""
    return element("section", element("h2", title), *children)


def table(
    heads: tuple[str, ...], rows: list[tuple[Child, ...]], numbers: frozenset[int] = frozenset()
) -> Markup:
    """A table that can be scrolled sideways by keyboard too, without columns that are empty everywhere.

    `numbers` are the columns that are set right.
    """
    kept = [place for place in range(len(heads)) if any(row[place] for row in rows)]
    top = element(
        "tr", *(element("th", heads[place], scope="col", class_=_kind(place, numbers)) for place in kept)
    )
    body = [
        element("tr", *(element("td", row[place], class_=_kind(place, numbers)) for place in kept))
        for row in rows
    ]
    name = " and ".join(head.lower() for head in heads[:2])
    inner = element("table", element("thead", top), element("tbody", *body))
    return element("div", inner, class_="scroll", tabindex="0", role="region", aria_label=f"Table of {name}")


def _kind(place: int, numbers: frozenset[int]) -> str | None:
    return "number" if place in numbers else None


def facts(pairs: list[tuple[str, Child]]) -> Markup:
    """Names and what is to be said of them; without those of which nothing is."""
    return element(
        "dl", *(join([element("dt", name), element("dd", value)]) for name, value in pairs if value)
    )


def state(word: str) -> Markup:
    """A state, as a word in its colour."""
    return element("span", word, class_=f"state {state_class(word)}")
