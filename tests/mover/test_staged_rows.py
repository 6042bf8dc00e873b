"""stage-in of rows against a real S3 server: files of the same format with the selected rows, or nothing at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from flow.subset_records import split
from mover.breaking_proxy import Break, BreakingProxy, Request, breaking_proxy
from mover.parquet_files import PARQUET, ids, numbered
from mover.pods import Ended, Pod, content_of, datastore, output, write_files
from mover.row_files import CSV, selected_rows
from mover.transfers import MiB

pytestmark = pytest.mark.server

HEADER = b"id,text\n"
PARTS: dict[str, int | str | None] = {"train": 80, "test": None}
# The last file has several ranges.
ROWS = {
    f"{number % 3}/{number}.csv": [b"%d,%s\n" % (row, b"x" * row) for row in range(20 * number)]
    for number in range(9)
} | {"large.csv": [b'%d,"%s\n"\n' % (row, b"y" * 1000) for row in range(9_000)]}
FILES = {path: HEADER + b"".join(rows) for path, rows in ROWS.items()}


def published(space: Space, folder: Path, files: dict[str, bytes] = FILES) -> dict[str, Any]:
    """Where the inventory of an output with these files lies."""
    first = Pod(folder, datastore(space), space.s3.admin, outputs=[output("all")])
    write_files(folder / "outputs/all", files.items())
    [found] = first.publish().report["outputs"]
    inventory: dict[str, Any] = found["inventory"]
    return inventory


def staged(
    space: Space, root: Path, inventory: dict[str, Any], chain: list[dict[str, Any]], **given: Any
) -> tuple[Ended, dict[str, bytes]]:
    """How stage-in of a view of rows ended, and the files that it brought."""
    place = datastore(space, endpoint=given.pop("endpoint", space.s3.endpoint))
    given = {"format": CSV} | given
    pod = Pod(root, place, space.s3.admin, inputs=[("data", inventory)], transforms=chain, **given)
    ended = pod.stage_in()
    return ended, {path: content for path, (content, _) in content_of(root / "inputs/data").items()}


def reads(proxy: BreakingProxy, path: str) -> int:
    return sum(request.method == "GET" and request.path.endswith(path) for request in proxy.requests)


def test_train_and_test_are_disjoint_complete_and_keep_their_headers(local_s3: Space, tmp_path: Path) -> None:
    inventory = published(local_s3, tmp_path / "all")
    for part in PARTS:
        chain = [split(part, PARTS)]
        ended, found = staged(local_s3, tmp_path / part, inventory, chain)
        assert ended.code == 0, ended.errors
        expected = selected_rows(chain, FILES, ROWS)
        assert found == {path: HEADER + b"".join(rows) for path, rows in expected.items()}
        sizes = [len(content) for content in found.values()]
        assert (ended.report["files"], ended.report["bytes"]) == (len(sizes), sum(sizes))


def test_train_and_test_of_parquet_are_disjoint_and_complete(local_s3: Space, tmp_path: Path) -> None:
    counts = {"a.parquet": 30_000, "more/b.parquet": 7, "more/c.parquet": 0}
    files = {path: numbered(count, row_group_size=10_000) for path, count in counts.items()}
    inventory = published(local_s3, tmp_path / "all", files)
    rows = {path: [b"%d" % row for row in range(count)] for path, count in counts.items()}
    for part in PARTS:
        chain = [split(part, PARTS)]
        ended, found = staged(local_s3, tmp_path / part, inventory, chain, format=PARQUET)
        assert ended.code == 0, ended.errors
        expected = selected_rows(chain, files, rows)
        assert {path: ids(content) for path, content in found.items()} == {
            path: [int(row) for row in kept] for path, kept in expected.items()
        }
        sizes = [len(content) for content in found.values()]
        assert (ended.report["files"], ended.report["bytes"]) == (len(sizes), sum(sizes))


def test_exact_rows_are_read_twice_and_counted_once(local_s3: Space, tmp_path: Path) -> None:
    inventory = published(local_s3, tmp_path / "all")
    chain = [split("train", PARTS, exact=True), split("test", {"train": 25, "test": None}, exact=True)]
    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        ended, found = staged(local_s3, tmp_path / "view", inventory, chain, endpoint=proxy.endpoint)

    assert ended.code == 0, ended.errors
    assert reads(proxy, "/1/1.csv") == 2
    assert sum(content.count(b"\n") - 1 for content in found.values()) > 0
    expected = selected_rows(chain, FILES, ROWS)
    assert found == {path: HEADER + b"".join(rows) for path, rows in expected.items()}
    assert sum(map(len, expected.values())) == round(0.8 * 0.75 * sum(map(len, ROWS.values())))


def test_no_file_is_fetched_for_the_first_rows_but_those_that_hold_them(
    local_s3: Space, tmp_path: Path
) -> None:
    files = {"a.csv": HEADER + b"1,x\n2,y\n"} | {f"b{number}.csv": HEADER * 5 * MiB for number in range(9)}
    files = {path: content[: 5 * MiB] for path, content in files.items()}
    inventory = published(local_s3, tmp_path / "all", files)
    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        chain = [{"take": {"count": 2}}]
        ended, found = staged(local_s3, tmp_path / "view", inventory, chain, endpoint=proxy.endpoint)

    assert (ended.code, found) == (0, {"a.csv": files["a.csv"]})
    assert reads(proxy, "/b8.csv") == 0


def test_a_view_is_staged_once_in_a_pod_that_is_set_up_again(local_s3: Space, tmp_path: Path) -> None:
    inventory = published(local_s3, tmp_path / "all")
    ended = [
        staged(local_s3, tmp_path / "view", inventory, [split("train", PARTS)])[0].report for _ in range(2)
    ]
    assert ended[0]["files"] == 9
    assert [one | {"seconds": 0} for one in ended[:1]] == [one | {"seconds": 0} for one in ended[1:]]


def test_a_view_without_rows_is_refused_unless_it_is_allowed(local_s3: Space, tmp_path: Path) -> None:
    files = {"all": HEADER + b"1,x\n"}
    inventory = published(local_s3, tmp_path / "all", files)
    chain = [{"skip": {"count": 1}}]

    refused, _ = staged(local_s3, tmp_path / "refused", inventory, chain)
    allowed, found = staged(local_s3, tmp_path / "allowed", inventory, chain, allow_empty=True, file="all")

    assert (refused.code, refused.report["reason"]) == (41, "EmptyInput")
    assert "Input 'data' has no rows: its transforms select none of 1 rows." in refused.report["message"]
    assert json.dumps(chain) in refused.report["message"]
    assert not (tmp_path / "refused/inputs/data").exists()
    # A version that is one file stays one.
    assert (allowed.code, found) == (0, {"all": HEADER})


def test_a_bad_row_ends_the_step_by_name_with_nothing_delivered(local_s3: Space, tmp_path: Path) -> None:
    inventory = published(local_s3, tmp_path / "all", {"a.csv": HEADER, "b.csv": HEADER + b'1,x\n2,"y\n'})

    ended, found = staged(local_s3, tmp_path / "view", inventory, [{"take": {"count": 9}}])

    assert (ended.code, ended.report["reason"], found) == (41, "BadRow", {})
    assert ended.report["message"] == "'b.csv', line 3, column 3: the quote that begins here is never closed."


LARGE = {"filter": {"path": "large.csv"}}


@pytest.mark.parametrize(
    ("path", "chain", "was", "now"),
    [
        ("1/4.csv", [split("train", PARTS)], b"x", b"z"),
        ("large.csv", [split("train", PARTS)], b"y", b"z"),
        # What follows the last row that is taken must be right too.
        ("large.csv", [LARGE, {"take": {"count": 1}}], b"y", b"z"),
        # Bytes that are not the user's are not judged as rows.
        ("large.csv", [LARGE, split("train", PARTS)], b'\n"', b"zz"),
    ],
    ids=["small", "large", "first row", "bad row"],
)
def test_other_bytes_than_were_pinned_are_drift_and_nothing_is_delivered(
    local_s3: Space, tmp_path: Path, path: str, chain: list[dict[str, Any]], was: bytes, now: bytes
) -> None:
    inventory = published(local_s3, tmp_path / "all")
    key = f"{inventory['path'].rpartition('/')[0]}/data/{path}"
    other = local_s3.get(key).replace(was, now)

    def swap(request: Request) -> Break | None:
        if request.method == "GET" and request.path.endswith(f"/{path}") and not request.before:
            return Break(cut_after=1000, meanwhile=lambda: local_s3.put(key, other))
        return None

    with breaking_proxy(local_s3.s3.endpoint, swap) as proxy:
        ended, found = staged(local_s3, tmp_path / "view", inventory, chain, endpoint=proxy.endpoint)

    assert (ended.code, ended.report["reason"], found) == (42, "InputDrift", {})
    assert path in ended.report["message"]
