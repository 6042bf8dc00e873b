"""Records and chains for the tests of views."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

from towpath.flow.subsets import select_files, select_rows
from towpath.flow.transform_documents import read_chain


class AFile(NamedTuple):
    path: str
    size: int = 0


class ARow(NamedTuple):
    path: str
    size: int
    row: int


def paths_of(chain: list[dict[str, Any]], files: list[AFile]) -> list[str]:
    return [file.path for file in select_files(read_chain(chain), lambda: files)]


def rows_of(chain: list[dict[str, Any]], rows: list[ARow]) -> list[ARow]:
    return list(select_rows(read_chain(chain), lambda: rows))


def numbered(count: int) -> list[AFile]:
    return [AFile(f"images/{number:07}.jpg", number) for number in range(count)]


def sample(percent: int | str, seed: int = 42, **more: Any) -> dict[str, Any]:
    return {"sample": {"percent": percent, "seed": seed, **more}}


def split(part: str, percents: dict[str, int | str | None], seed: int = 42, **more: Any) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": name} | ({} if percent is None else {"percent": percent})
        for name, percent in percents.items()
    ]
    return {"split": {"parts": parts, "part": part, "seed": seed, **more}}


names = st.text("ab.é日_$ ", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
files = st.builds(AFile, paths, st.integers(0, 20))
inventories = st.lists(files, max_size=40, unique_by=lambda file: file.path).map(sorted)
seeds = st.one_of(st.integers(-(10**19) + 1, 10**19 - 1), st.integers(-2, 2))
percents = st.one_of(
    st.integers(0, 100),
    st.decimals(0, 100, places=3).map(str),
)


@st.composite
def divisions(draw: st.DrawFn) -> dict[str, int | str | None]:
    """Named parts whose percents are whole numbers; any one of them is the rest."""
    borders = sorted(draw(st.lists(st.integers(0, 100), min_size=1, max_size=4)))
    shares = [end - begin for begin, end in zip([0, *borders], [*borders, 100], strict=True)]
    rest = draw(st.integers(0, len(shares)))
    return {f"p{place}": None if place == rest else share for place, share in enumerate(shares)}


groupings = st.sampled_from([{}, {"groupBy": "Stem"}, {"groupBy": "Folder"}])
exactness = st.sampled_from([{}, {"exact": True}])


@st.composite
def transforms(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["sample", "split", "take", "skip", "filter", "shard"]))
    if kind == "sample":
        percent = draw(percents.filter(float))
        return sample(percent, draw(seeds), **draw(exactness))
    if kind == "split":
        division = draw(divisions())
        part = draw(st.sampled_from(sorted(division)))
        return split(part, division, draw(seeds), **draw(exactness), **draw(groupings))
    if kind == "filter":
        pattern = st.sampled_from(["**", "*", "**/*a*", "*/**", "?/*", "**/a/**", "a*/**/?"])
        return {"filter": {"path": draw(pattern), "minBytes": draw(st.integers(0, 5)), "maxBytes": 15}}
    if kind == "shard":
        count = draw(st.integers(1, 4))
        return {"shard": {"index": draw(st.integers(0, count - 1)), "count": count}}
    return {kind: {"count": draw(st.integers(0, 30))}}


chains = st.lists(transforms(), max_size=4)
