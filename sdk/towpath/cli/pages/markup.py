"""Texts and elements → HTML. What is not made here is text and is escaped: no name, message or log is markup."""

from __future__ import annotations

import html
from collections.abc import Iterable
from urllib.parse import quote

from towpath.cli.printable import log_line, printable


class Markup(str):
    """HTML that was made here."""

    __slots__ = ()


Child = str | Markup | None
# Elements that have no end.
_VOID = frozenset({"meta", "br", "line", "rect", "path", "circle"})


def text(value: object) -> Markup:
    """A text as HTML; what could turn its direction or control anything is shown as an escape."""
    return Markup(html.escape(printable(str(value)), quote=True))


def element(name: str, *children: Child, **attributes: object) -> Markup:
    """One element. Plain strings are escaped; attributes that are None are left out, `class_` is `class`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>" if name in ("meta", "br") else f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Child], between: str = "") -> Markup:
    """Several after one another; what stands between them is ours."""
    shown = (child if isinstance(child, Markup) else text(child) for child in children if child is not None)
    return Markup(between.join(shown))


def link(words: str, *parts: str) -> Markup:
    """A link to a page of ours: the parts of its path, each quoted, below where the pages are."""
    return element("a", words, href="/".join(quote(part, safe="") for part in parts))


def log_lines(written: Iterable[str]) -> Markup:
    """Lines of a log, with their tabs and without their colours."""
    shown = (join(map(text, log_line(line, False).split("\t")), "\t") for line in written)
    return element(
        "pre", Markup("\n".join(shown)), tabindex="0", role="region", aria_label="Last lines of the log"
    )
