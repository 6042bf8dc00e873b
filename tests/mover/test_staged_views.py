"""stage-in of views against a real S3 server: the files that the transforms select are fetched, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from flow.naive_subsets import naive_select
from flow.subset_records import split
from mover.breaking_proxy import BreakingProxy, breaking_proxy
from mover.pods import Ended, Pod, content_of, datastore, output, write_files
from mover.transfers import a_store
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.order import InventoryRef
from towpath_mover.view import open_view

pytestmark = pytest.mark.server

FILES = [(f"{number % 7}/{number:03}.txt", bytes([number]) * (number + 1)) for number in range(60)]
PARTS: dict[str, int | str | None] = {"train": 80, "test": None}
EXACT = [split("train", PARTS, exact=True)]


def published(space: Space, folder: Path) -> dict[str, Any]:
    """Where the inventory of an output with these files lies."""
    first = Pod(folder, datastore(space), space.s3.admin, outputs=[output("all")])
    write_files(folder / "outputs/all", FILES)
    [found] = first.publish().report["outputs"]
    inventory: dict[str, Any] = found["inventory"]
    return inventory


def staged(
    space: Space, root: Path, inventory: dict[str, Any], chain: list[dict[str, Any]], **given: Any
) -> tuple[Ended, dict[str, bytes]]:
    """How stage-in of a view ended, and the files that it brought."""
    location = {"endpoint": given.pop("endpoint", space.s3.endpoint)}
    pod = Pod(
        root,
        datastore(space, **location),
        space.s3.admin,
        inputs=[("data", inventory)],
        transforms=chain,
        **given,
    )
    ended = pod.stage_in()
    files = content_of(root / "inputs/data")
    return ended, {path: content for path, (content, _) in files.items()}


def expected(chain: list[dict[str, Any]]) -> dict[str, bytes]:
    """What a naive reader of views.md selects."""
    records = sorted((path, len(content)) for path, content in FILES)
    return {path: dict(FILES)[path] for path, _ in naive_select(chain, records)}


def fetched(proxy: BreakingProxy) -> list[str]:
    """The data objects that were asked for, once for each time."""
    return sorted(
        request.path.rpartition("/data/")[2]
        for request in proxy.requests
        if request.method == "GET" and "/data/" in request.path
    )


def test_train_and_test_are_disjoint_complete_and_all_that_is_fetched(
    local_s3: Space, tmp_path: Path
) -> None:
    inventory = published(local_s3, tmp_path / "all")
    sides = {}
    for part in PARTS:
        chain = [split(part, PARTS)]
        with breaking_proxy(local_s3.s3.endpoint) as proxy:
            ended, sides[part] = staged(local_s3, tmp_path / part, inventory, chain, endpoint=proxy.endpoint)
        assert ended.code == 0, ended.errors
        assert sides[part] == expected(chain)
        assert fetched(proxy) == sorted(sides[part])
        sizes = [len(content) for content in sides[part].values()]
        assert (ended.report["files"], ended.report["bytes"]) == (len(sizes), sum(sizes))
    assert not set(sides["train"]) & set(sides["test"])
    assert sides["train"] | sides["test"] == dict(FILES)


def test_an_exact_split_has_the_exact_count(local_s3: Space, tmp_path: Path) -> None:
    ended, files = staged(local_s3, tmp_path / "train", published(local_s3, tmp_path / "all"), EXACT)

    assert ended.code == 0, ended.errors
    assert files == expected(EXACT)
    assert len(files) == 48


def test_the_context_of_a_step_tells_the_view(local_s3: Space, tmp_path: Path) -> None:
    staged(local_s3, tmp_path / "train", published(local_s3, tmp_path / "all"), EXACT)

    context = json.loads((tmp_path / "train/context/context.json").read_text())
    assert context["inputs"]["data"]["transforms"] == EXACT


def test_a_view_is_staged_once_in_a_pod_that_is_set_up_again(local_s3: Space, tmp_path: Path) -> None:
    inventory = published(local_s3, tmp_path / "all")
    reports = []
    for _ in range(2):
        ended, files = staged(local_s3, tmp_path / "train", inventory, EXACT)
        reports.append((ended.code, ended.report["files"], files))

    assert reports[0] == reports[1]
    assert reports[0][1] == 48


def test_a_view_without_files_is_refused_with_its_chain_unless_it_is_allowed(
    local_s3: Space, tmp_path: Path
) -> None:
    inventory = published(local_s3, tmp_path / "all")
    chain = [{"filter": {"path": "**/*.jpg"}}]

    refused, _ = staged(local_s3, tmp_path / "refused", inventory, chain)
    allowed, files = staged(local_s3, tmp_path / "allowed", inventory, chain, allow_empty=True)

    assert (refused.code, refused.report["reason"]) == (41, "EmptyInput")
    message = refused.report["message"]
    assert "Input 'data' has no files: its transforms select none of 60 files." in message
    assert json.dumps(chain) in message
    assert (allowed.code, allowed.report["files"], files) == (0, 0, {})
    assert (tmp_path / "allowed/inputs/data").is_dir()


def test_an_inventory_that_was_replaced_is_drift_before_a_byte_is_fetched(
    local_s3: Space, tmp_path: Path
) -> None:
    pinned = published(local_s3, tmp_path / "all") | {"digest": "sha256:" + "0" * 64}

    ended, files = staged(local_s3, tmp_path / "train", pinned, [{"take": {"count": 1}}])

    assert (ended.code, ended.report["reason"], files) == (42, "InputDrift", {})


def test_the_copy_of_an_inventory_is_gone_when_its_view_is(local_s3: Space, tmp_path: Path) -> None:
    inventory = published(local_s3, tmp_path / "all")
    store, copy = a_store(local_s3, tmp_path), tmp_path / "copy"
    pinned = InventoryRef("default", inventory["path"], inventory["digest"])

    with open_view(store, pinned, EXACT, copy) as view:
        assert view.files_in_all == 60
        assert copy.exists()
    assert not copy.exists()

    with pytest.raises(MoverFailure) as refused, open_view(store, pinned._replace(digest="x"), EXACT, copy):
        pass
    assert refused.value.reason is Reason.INPUT_DRIFT
    assert not copy.exists()
