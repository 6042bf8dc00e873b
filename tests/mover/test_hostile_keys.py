"""Datasets of hostile keys: each key becomes the file that is documented, or is refused by its own words.

Two servers hold them, for the real ones of other tests normalise or refuse most: moto, which keeps keys as Amazon does
(but for newlines and what is not UTF-8), and a server of the tests' own, which keeps any bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from cluster.store import Identity
from mover.answering import answering
from mover.deep import removed_at_the_end
from mover.hostile_keys import FOLDER, Hostile, content_of, corpus
from mover.transfers import an_s3, failure_of, write_secret
from stores.programs import is_moto_installed, moto_command
from stores.servers import running
from towpath_mover.download import download
from towpath_mover.inventory_order import SourceOrder
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.inventory_writer import write_inventory
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress
from towpath_mover.sources import open_source
from towpath_mover.stores import Places, Store, open_store

pytestmark = [pytest.mark.server, pytest.mark.fault]

CORPUS = corpus()
# The whole of it is installed apart from everything else: its botocore does not go with our Kubernetes client.
MOTO = [] if is_moto_installed() else [pytest.mark.long]

NOT_BY_MOTO = {"newline", "no UTF-8", "half a character"}


class Server(NamedTuple):
    """Where to put keys, which it keeps as they are."""

    name: str
    endpoint: str


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A moto server."""
    program = moto_command()
    with running(lambda port: [*program, "-p", str(port)], tmp_path_factory.mktemp("moto")) as port:
        yield Server("moto", f"http://127.0.0.1:{port}")


@pytest.fixture
def own() -> Iterator[Server]:
    """The server of the tests' own."""
    with answering() as server:
        yield Server("own", server.endpoint)


@pytest.fixture(params=["own", pytest.param("moto", marks=MOTO)])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two."""
    found: Server = request.getfixturevalue(request.param)
    return found


def bucket_of(server: Server, hostile: Hostile, folder: Path) -> Store:
    """An open store of a new bucket with these keys."""
    host, bucket = urlsplit(server.endpoint).netloc, f"hostile-{token_hex(4)}"
    _ask(host, f"/{bucket}")
    for key in hostile.keys:
        _ask(host, f"/{bucket}/{quote(key, safe='')}", content_of(key))
    write_secret(folder / "credentials/lake", Identity("somebody", "secret"))
    location = {"bucket": bucket, "endpoint": server.endpoint}
    return open_store(an_s3(location=location, credentials_secret="s"), Places(folder / "credentials"))


def _ask(host: str, path: str, body: bytes = b"") -> None:
    # By a client that sends the path as it is: others take out dots and slashes.
    connection = HTTPConnection(host, timeout=30)
    connection.putrequest("PUT", path)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def staged(store: Store, folder: Path) -> Path:
    """Take an inventory of `in` and stage it, as the two movers do."""
    source = open_source(SourceOrder(path="in", datastore="lake"), 0, store, "team-a")
    written = write_inventory(folder / "inventory", [source.root], source.entries)
    reader = InventoryReader([written.file.read_bytes()], written.summary.digest)
    target = folder / "staged"
    download(reader.entries(), [Source(store, source.root.prefix)], target, Progress("in"))
    return target


@pytest.mark.parametrize("name", [name for name, hostile in CORPUS.items() if hostile.reason])
def test_a_key_that_cannot_be_a_file_is_refused_by_name(server: Server, tmp_path: Path, name: str) -> None:
    hostile = CORPUS[name]
    if server.name == "moto" and name in NOT_BY_MOTO:
        pytest.skip("moto keeps neither newlines nor what is not UTF-8")
    store = bucket_of(server, hostile, tmp_path)
    failed = failure_of(lambda: staged(store, tmp_path))
    assert failed.reason is hostile.reason
    assert hostile.words in failed.message
    shown = ascii(hostile.keys[0][len(FOLDER) :].decode(errors="surrogateescape"))[1:30]
    assert shown in failed.message or hostile.keys[0][len(FOLDER) :].decode()[:30] in failed.message
    assert "\n" not in failed.message
    assert not (tmp_path / "staged").exists()


@pytest.mark.parametrize("name", [name for name, hostile in CORPUS.items() if not hostile.reason])
def test_a_key_that_only_looks_hostile_is_the_file_of_its_name(
    server: Server, tmp_path: Path, name: str
) -> None:
    hostile = CORPUS[name]
    by_file = {key.removeprefix(FOLDER).decode(): content_of(key) for key in hostile.keys}
    with removed_at_the_end(tmp_path / "staged") as target:
        staged(bucket_of(server, hostile, tmp_path), tmp_path)
        for file in hostile.files:
            assert Path(f"{target}/{file}").read_bytes() == by_file[file]
        # Not by Python, which does not go as deep.
        assert len(_files_below(target)) == len(hostile.files)


def _files_below(folder: Path) -> list[Path]:
    found, waiting = [], [folder]
    while waiting:
        for place in waiting.pop().iterdir():
            if place.is_dir():
                waiting.append(place)
            else:
                found.append(place)
    return found


def test_one_hostile_key_ends_a_dataset_only_where_a_source_means_it(own: Server, tmp_path: Path) -> None:
    keys = tuple(key for hostile in CORPUS.values() if hostile.reason for key in hostile.keys)
    store = bucket_of(own, Hostile((*keys, b"in/good.csv")), tmp_path)
    source = open_source(SourceOrder(path="in/good.*", datastore="lake"), 0, store, "team-a")
    assert [entry.path for entry in source.entries] == ["good.csv"]
