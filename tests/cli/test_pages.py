"""Pages: what is not ours is text, pictures have all that is in the run, and colours can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.command_line import towpath
from cli.pictures import everything
from cli.scenes import namespace
from flow.sightings import NOON
from towpath.backend import Container, Kind, LogLine
from towpath.cli.pages.graph import graph_of
from towpath.cli.pages.graph_svg import MOST_NODES, graph_svg
from towpath.cli.pages.layers import Layers, is_stand_in, layers_of
from towpath.cli.pages.markup import Markup, element, log_lines, text
from towpath.cli.pages.style import DARK, LIGHT, READ
from towpath.cli.pages.timeline import timeline_of
from towpath.cli.run_view import RunView, StepView, view_of

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


class Read(HTMLParser):
    """Elements and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


@given(ANY_TEXT)
def test_a_text_is_never_markup(words: str) -> None:
    read = Read(element("p", words, title=words))
    assert (read.names, [name for name, _ in read.attributes]) == (["p"], ["title"])
    assert read.text.encode().decode() == read.text


def test_a_text_is_read_back_as_it_was() -> None:
    assert Read(element("p", "<a href='x'>&amp;\"")).text == "<a href='x'>&amp;\""
    assert text("a\u202eb\x00") == "a\\u202eb\\x00"
    assert log_lines(["a\t<b>", "\x1b[31mred"]).endswith(">a\t&lt;b&gt;\nred</pre>")


def report(tmp_path: Path, name: str = "iris-2", *args: str) -> str:
    file = tmp_path / "run.html"
    called = towpath(everything(), "report", name, "-o", str(file), *args)
    assert (called.code, called.out) == (0, f"{file}\n")
    return file.read_text()


def test_a_report_tells_of_all_that_a_run_has(tmp_path: Path) -> None:
    words = Read(report(tmp_path)).text
    for part in (
        "step validate failed: the command ended with 3",
        "share = 90",
        "1200 files, 380.0 MB in 3.1s (122.6 MB/s)",
        "380.0 MB in 4.0s",
        "in 4.0s, out 0.5s",
        "iris-model@2",
        "Its work was computed already: taken from run iris-1, step embeddings.",
        "param share",
        "accuracy",
        "0.94",
        "ValueError: 3 rows differ",
        "ExitCode: The command ended with another code than 0. the command ended with 3",
        "input features: seed 42 was drawn",
        "row 59 of 150",
    ):
        assert part in words, part
    assert "row 19 of 150" not in words
    assert "row 59" not in Read(report(tmp_path, "iris-2", "--no-logs")).text


def test_a_report_is_one_file_that_names_nothing_to_fetch(tmp_path: Path) -> None:
    page = report(tmp_path)
    read = Read(page)
    assert not set(read.names) & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "link",
        "form",
        "base",
        "video",
        "audio",
    }
    leading = [
        value for name, value in read.attributes if name in ("href", "src", "xlink:href", "action", "srcset")
    ]
    assert leading
    assert all(value and value.startswith("#") for value in leading)
    assert "url(" not in page
    assert "@import" not in page
    assert not [name for name, _ in read.attributes if name.startswith("on") or name == "style"]


def test_a_report_goes_to_stdout_if_asked() -> None:
    called = towpath(everything(), "report", "iris-2", "-o", "-")
    assert called.out.startswith("<!doctype html>")
    assert called.err == ""


def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    called = towpath(everything(), "report", "iris-2", "-o", str(tmp_path / "none" / "x.html"))
    assert called.code == 2
    assert "cannot be written: No such file or directory" in called.err
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_plan_or_status_has_a_page_too() -> None:
    backend = namespace()
    del backend.plans["iris-1"]
    assert "prep" in towpath(backend, "report", "iris-1", "-o", "-").out
    del backend.objects[Kind.PIPELINE_RUN, "iris-1"]["status"]
    assert "No step is known yet." in towpath(backend, "report", "iris-1", "-o", "-").out


def test_a_log_of_any_length_is_cut() -> None:
    backend = everything()
    backend.lines = [LogLine("prep", 1, Container.STEP, "x" * 10_000_000)]
    assert len(towpath(backend, "report", "iris-2", "-o", "-").out) < 100_000


def a_view() -> RunView:
    backend = everything()
    return view_of(backend.objects[Kind.PIPELINE_RUN, "iris-2"], backend.plans["iris-2"])


def test_the_graph_has_every_step_and_all_that_goes_between_them() -> None:
    graph = graph_of(a_view())
    assert {node.title for node in graph.nodes} >= {"prep", "features", "train", "iris@1", "iris-model@2"}
    joined = {(edge.source, edge.target): edge.label for edge in graph.edges}
    assert joined["step:prep", "step:features"] == "380.0 MB"
    assert joined["data:iris@1", "step:prep"] == "3.9 kB"
    assert joined["step:train", "version:iris-model@2"] == "2.0 MB in 0.5s"
    assert [edge.target for edge in graph.edges if edge.is_order] == ["step:report"]


NODES = [f"n{number}" for number in range(12)]
# From a lower to a higher number, so that there is no circle.
EDGES = st.sets(st.sampled_from(list(combinations(NODES, 2))), max_size=30)


def column_of(layers: Layers) -> dict[str, int]:
    return {name: place for place, column in enumerate(layers.columns) for name in column}


@given(EDGES)
def test_every_edge_goes_right_one_column_at_a_time_and_nothing_is_lost(edges: set[tuple[str, str]]) -> None:
    layers = layers_of(NODES, edges)
    column = column_of(layers)
    assert sorted(name for name in column if not is_stand_in(name)) == sorted(NODES)
    assert layers.routes.keys() == edges
    for (source, target), between in layers.routes.items():
        places = [column[name] for name in (source, *between, target)]
        assert all(right == left + 1 for left, right in pairwise(places))


def test_a_graph_that_is_too_large_is_not_drawn_and_the_page_is_still_quick() -> None:
    steps = tuple(
        StepView(f"s{number}", {"name": f"s{number}"}, after=(f"s{number - 1}",)) for number in range(1000)
    )
    view = RunView(namespace().objects[Kind.PIPELINE_RUN, "iris-1"], None, steps)
    assert len(graph_of(view).nodes) > MOST_NODES
    assert graph_svg(graph_of(view)) is None


def test_bars_stand_where_transfers_were() -> None:
    timeline = timeline_of(a_view(), NOON + timedelta(hours=1))
    assert timeline is not None
    lanes = {lane.step: lane for lane in timeline.lanes}
    found = [(bar.kind, bar.start, bar.end) for bar in lanes["prep"].bars]
    assert found == [("stage", 2.0, 3.0), ("command", 3.0, 10.9), ("publish", 10.9, 14.0)]
    assert lanes["prep"].bars[2].words == "publishing: 380.0 MB in 3.1s, 122.6 MB/s"
    assert lanes["report"].note == "Skipped"
    assert lanes["embeddings_of_a_long_name"].note == "taken from run iris-1"
    assert timeline.seconds == 60.0
    assert timeline.ticks == (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0)


def test_what_goes_on_lasts_until_now() -> None:
    backend = namespace()
    run = backend.objects[Kind.PIPELINE_RUN, "iris-1"]
    del run["status"]["completionTime"], run["status"]["steps"][1]["completionTime"]
    run["status"]["steps"][1]["outputs"] = []
    timeline = timeline_of(view_of(run, backend.plans["iris-1"]), NOON + timedelta(seconds=100))
    assert timeline is not None
    assert timeline.lanes[1].bars[-1].end == 100.0


def brightness(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((brightness(one), brightness(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read_on_every_ground(colours: Mapping[str, str]) -> None:
    for name in READ:
        for ground in ("ground", "panel"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for bar in ("stage", "command", "publish"):
        assert contrast(colours[bar], colours["panel"]) >= 3.0, bar


def test_markup_is_only_what_was_made_here() -> None:
    assert element("p", Markup("<b>x</b>"), "<b>x</b>") == "<p><b>x</b>&lt;b&gt;x&lt;/b&gt;</p>"
    assert re.fullmatch(r'<p title="&quot;&gt;&lt;script&gt;"></p>', element("p", title='"><script>'))
