"""The pages in a real browser: nothing of others runs or is fetched, all is to be seen, read aloud and reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from browser.chromium import Chromium
from browser.hostile import CORPUS, hostile_backend
from cli.command_line import towpath
from cli.memory import MemoryBackend
from cli.pictures import everything
from cli.serving import running
from towpath.cli.printable import printable
from towpath.cli.server import make_server

pytestmark = pytest.mark.server

WIDE, NARROW = (1280, 1500), (420, 900)
# Of every element that shows text itself: is it read against what is behind it? As WCAG 2 counts.
CONTRASTS = """
const parse = text => { const c = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  c.fillStyle = text; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const ground = one => { for (let at = one; at; at = at.parentElement) {
  const found = parse(getComputedStyle(at).backgroundColor); if (found[3] === 255) return found; }
  return [255, 255, 255]; };
const poor = [];
for (const one of document.querySelectorAll('body *')) {
  if (![...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) continue;
  if (one instanceof SVGTitleElement || one.closest('title')) continue;
  const style = getComputedStyle(one), isDrawn = one instanceof SVGElement;
  const [a, b] = [light(parse(isDrawn ? style.fill : style.color)), light(ground(one))].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < 4.5) poor.push([one.tagName, one.textContent.slice(0, 30), ratio]);
}
return poor;
"""
PWNED = "return document.documentElement.dataset.pwned || document.title === '7' || null"


class Visited:
    """A server that notes who asks it for anything."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        visited = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Note it."""
                visited.paths.append(self.path)
                self.send_error(404)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def shown(backend: MemoryBackend) -> Iterator[str]:
    """The address of the workspace's pages."""
    with running(make_server(lambda: backend, "token", 0)) as port:
        yield f"http://127.0.0.1:{port}/token/"


def report(backend: MemoryBackend, folder: Path) -> str:
    """The address of the run's report, as a file."""
    file = folder / "run.html"
    assert towpath(backend, "report", "iris-2", "-o", str(file)).code == 0
    return file.as_uri()


@pytest.fixture
def page(browser: Chromium) -> Iterator[Chromium]:
    """A browser as it is for a new page."""
    browser.size(*WIDE)
    browser.dark(False)
    browser.complaints()
    yield browser
    browser.open("about:blank")


def test_a_report_is_shown_without_a_complaint(page: Chromium, tmp_path: Path) -> None:
    page.open(report(everything(), tmp_path))
    assert page.run("return document.querySelector('h1').textContent") == "Run iris-2"
    assert page.run("return document.querySelectorAll('svg').length") == 2
    # The policy lets the style in, and the style is obeyed.
    assert page.run("return getComputedStyle(document.querySelector('.bad')).fontWeight") == "600"
    assert page.complaints() == []


def test_nothing_that_others_wrote_runs_or_is_fetched(page: Chromium, tmp_path: Path) -> None:
    visited = Visited()
    with running(visited.server):
        backend = hostile_backend(visited.host)
        with shown(backend) as address:
            for path in (
                report(backend, tmp_path),
                address,
                f"{address}run/iris-2",
                f"{address}dataset/evil",
            ):
                page.open(path)
                page.run("for (const one of document.querySelectorAll('details')) one.open = true")
                page.run(
                    "for (const one of document.querySelectorAll('*')) one.dispatchEvent(new Event('mouseover'))"
                )
                assert page.run(PWNED) is None, path
                alien = "script,img,iframe,object,embed,link,form,input,base,foreignObject,[onload],[onerror],[onfocus]"
                assert page.run("return document.querySelectorAll(arguments[0]).length", alien) == 0, path
                leading = page.run(
                    "return [...document.querySelectorAll('[href]')].map(one => one.getAttribute('href'))"
                )
                assert not [one for one in leading if ":" in one.split("/")[0] or one.startswith("//")], path
                assert page.run("return document.querySelectorAll('style').length") == 1
    assert visited.paths == []
    assert page.complaints() == []


def test_hostile_texts_are_shown_as_what_they_are(page: Chromium, tmp_path: Path) -> None:
    page.open(report(hostile_backend("h"), tmp_path))
    shown_text = page.run("return document.body.textContent")
    for text in CORPUS:
        assert printable(text.replace("HOST", "h")) in shown_text


def test_even_if_a_text_were_markup_the_policy_would_stop_it(page: Chromium, tmp_path: Path) -> None:
    address = report(everything(), tmp_path)
    file = tmp_path / "run.html"
    evil = "<script>document.documentElement.dataset.pwned='1'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>"
    file.write_text(file.read_text().replace("<h1>", f"{evil}<h1>"))
    page.open(address)
    assert page.run(PWNED) is None
    assert len([one for one in page.complaints() if "Content Security Policy" in one]) >= 2


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(page: Chromium, tmp_path: Path, is_dark: bool) -> None:
    page.dark(is_dark)
    with shown(everything()) as address:
        for path in (report(everything(), tmp_path), address, f"{address}dataset/iris-model"):
            page.open(path)
            page.run("for (const one of document.querySelectorAll('details')) one.open = true")
            assert page.run(CONTRASTS) == [], path
            ground = page.run("return getComputedStyle(document.body).backgroundColor")
            assert ground == ("rgb(17, 22, 28)" if is_dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_only_tables_and_pictures_are_scrolled_sideways(
    page: Chromium, tmp_path: Path, size: tuple[int, int]
) -> None:
    page.size(*size)
    with shown(hostile_backend("h")) as address:
        for path in (
            report(everything(), tmp_path),
            address,
            f"{address}run/iris-2",
            f"{address}dataset/evil",
        ):
            page.open(path)
            assert page.run("return document.documentElement.scrollWidth") == size[0], path


def test_boxes_and_words_of_the_pictures_do_not_cover_one_another(page: Chromium, tmp_path: Path) -> None:
    page.open(report(everything(), tmp_path))
    boxes = page.run(
        "return [...document.querySelectorAll('svg .node')].map(one => one.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) == 8
    assert not [(a, b) for place, a in enumerate(boxes) for b in boxes[:place] if overlap(a, b)]
    outside = page.run(
        """return [...document.querySelectorAll('svg text')].filter(one => {
        const own = one.getBoundingClientRect(), all = one.ownerSVGElement.getBoundingClientRect();
        return own.left < all.left - 1 || own.right > all.right + 1
          || own.bottom > all.bottom + 1 || own.top < all.top - 1;
        }).map(one => one.textContent)"""
    )
    assert outside == []
    wide = page.run(
        """return [...document.querySelectorAll('svg g:has(> .node)')].filter(one => {
        const box = one.querySelector('.node').getBoundingClientRect();
        return [...one.querySelectorAll('text')].some(text => text.getBoundingClientRect().width > box.width);
        }).map(one => one.textContent)"""
    )
    assert wide == []


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    across = one["left"] < other["right"] and other["left"] < one["right"]
    return across and one["top"] < other["bottom"] and other["top"] < one["bottom"]


def test_a_screen_reader_is_told_what_is_to_be_seen(page: Chromium, tmp_path: Path) -> None:
    page.open(report(everything(), tmp_path))
    found: dict[str, list[str]] = {}
    for node in page.tree():
        found.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    assert found["heading"][:3] == ["Run iris-2", "Graph", "Transfers and commands over time"]
    pictures = found.get("image", found.get("img", []))
    assert [name.split(":")[0] for name in pictures] == ["Graph of the run", "Times of the run"]
    assert "Step" in found["columnheader"]
    assert all(found["link"])
    assert page.run("return document.documentElement.lang") == "en"
    levels = page.run("return [...document.querySelectorAll('h1,h2,h3')].map(one => +one.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_step_is_reached_from_its_box_and_opened_without_a_mouse(page: Chromium, tmp_path: Path) -> None:
    page.open(report(everything(), tmp_path))
    links = page.run("return [...document.querySelectorAll('svg a')].map(one => one.getAttribute('href'))")
    assert "#step-train" in links
    assert page.run("return arguments[0].every(one => document.querySelector(one))", links) is True
    focus: list[Any] = page.run(
        """return [...document.querySelectorAll('summary,.scroll,pre,a')].map(one => {
        one.focus({focusVisible: true}); return document.activeElement === one })"""
    )
    # Those inside a part that is closed cannot be reached before it is opened.
    assert focus.count(True) >= 20


def test_the_pages_lead_to_one_another(page: Chromium) -> None:
    with shown(everything()) as address:
        page.open(address)
        page.run("[...document.querySelectorAll('a')].find(one => one.textContent === 'iris-2').click()")
        assert page.run("return document.querySelector('h1').textContent") == "Run iris-2"
        page.run("document.querySelector('header a').click()")
        assert page.run("return document.querySelector('h1').textContent") == "Towpath"
        page.run("[...document.querySelectorAll('a')].find(one => one.textContent === 'iris-model').click()")
        assert page.run("return document.querySelector('h1').textContent") == "Dataset iris-model"
        page.run("[...document.querySelectorAll('a')].find(one => one.textContent === 'iris-1').click()")
        assert page.run("return document.querySelector('h1').textContent") == "Run iris-1"
    assert page.complaints() == []
