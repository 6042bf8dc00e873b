"""Spans of large objects that come without the client: the same bytes, and where something is odd, the client's word.

The proxy stands for what no real server does on demand; a client that may not be asked shows that it was not.
"""

from __future__ import annotations

from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import obstore
import pytest

from cluster.access import S3
from cluster.space import Space
from mover.breaking_proxy import Break, breaking_proxy
from mover.transfers import (
    AWKWARD,
    HASTE,
    MiB,
    a_store,
    an_entry_of,
    an_s3,
    behind,
    failure_of,
    fetch,
    found_in,
    noise,
    write_secret,
)
from towpath_mover.failures import Reason
from towpath_mover.object_store import ObjectStore
from towpath_mover.stores import ANY_STATE, Datastore, Pin, Places, Span, Store, open_store

server = pytest.mark.server


@pytest.fixture
def no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read by the client."""

    def get(*_: object, **__: object) -> None:
        raise AssertionError("the client was asked")

    monkeypatch.setattr(obstore, "get", get)


def streamed(store: Store, key: str, span: Span, pin: Pin = ANY_STATE) -> bytes:
    return b"".join(map(bytes, store.stream(key, pin, span).pieces()))


@server
def test_a_large_file_comes_without_the_client(local_s3: Space, tmp_path: Path, no_client: None) -> None:
    content = noise(21 * MiB + 7)
    local_s3.put("out/data/a", content)
    target = fetch([an_entry_of("a", content)], a_store(local_s3, tmp_path), tmp_path / "target")
    assert found_in(target) == {"a": content}


@server
def test_it_is_asked_for_by_its_name_whatever_that_is(
    local_s3: Space, tmp_path: Path, no_client: None
) -> None:
    store = a_store(local_s3, tmp_path)
    for name in AWKWARD:
        local_s3.put(f"in/{name}", name.encode())
    assert [
        streamed(store, f"in/{name}", Span(0, len(name.encode()))).decode() for name in AWKWARD
    ] == AWKWARD


@server
@pytest.mark.parametrize("start", [0, 1, MiB, 3 * MiB - 1])
@pytest.mark.parametrize("end", [3 * MiB, 3 * MiB + 1, 5 * MiB])
def test_a_span_is_its_bytes_and_tells_the_state_of_the_whole(
    local_s3: Space, tmp_path: Path, no_client: None, start: int, end: int
) -> None:
    content = noise(5 * MiB)
    local_s3.put("a", content)
    store = a_store(local_s3, tmp_path)
    stream = store.stream("a", Pin(store.state("a").etag), Span(start, end))
    assert stream.state == store.state("a")
    assert b"".join(map(bytes, stream.pieces())) == content[start:end]


@server
def test_one_connection_serves_one_span_after_another(
    local_s3: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[HTTPConnection] = []
    at_once = HTTPConnection.connect

    def connect(connection: HTTPConnection) -> None:
        made.append(connection)
        at_once(connection)

    monkeypatch.setattr(HTTPConnection, "connect", connect)
    local_s3.put("a", b"0123456789")
    store = a_store(local_s3, tmp_path)
    assert b"".join(streamed(store, "a", Span(n, n + 1)) for n in range(10)) == b"0123456789"
    assert len(made) == 1


@server
@pytest.mark.fault
@pytest.mark.parametrize("broken", [Break(cut_after=MiB + 5), Break(stall_after=MiB + 5)])
def test_what_breaks_off_is_read_on_from_there_and_of_the_same_state(
    local_s3: Space, tmp_path: Path, broken: Break
) -> None:
    content = noise(3 * MiB)
    local_s3.put("a", content)
    taken: list[bytes] = []
    with breaking_proxy(local_s3.s3.endpoint, lambda asked: None if asked.before else broken) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE._replace(read_timeout=0.5))
        taken.extend(map(bytes, store.stream("a", ANY_STATE, Span(0, len(content))).pieces()))
        assert (proxy.broken, len(proxy.requests)) == (1, 2)
        assert b"".join(taken) == content
        proxy.requests.clear()
        pieces = store.stream("a", ANY_STATE, Span(0, len(content))).pieces()
        next(pieces)
        local_s3.put("a", noise(3 * MiB))
        assert failure_of(lambda: list(pieces)).reason is Reason.INPUT_DRIFT


ODD = {
    "no ETag": Break(other_headers={"ETag": None}),
    "another range": Break(other_headers={"Content-Range": "bytes 1-3/4"}),
    "no size": Break(other_headers={"Content-Range": "bytes 0-2/*"}),
    "a reset": Break(reset=True),
    "an error": Break(503),
}


@server
@pytest.mark.fault
@pytest.mark.parametrize("odd", ODD)
def test_an_answer_that_is_not_what_was_asked_for_is_left_to_the_client(
    local_s3: Space, tmp_path: Path, odd: str
) -> None:
    local_s3.put("a", b"1234")
    with breaking_proxy(local_s3.s3.endpoint, lambda asked: None if asked.before else ODD[odd]) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        assert streamed(store, "a", Span(0, 3)) == b"123"
        assert len(proxy.requests) == 2


@server
@pytest.mark.fault
def test_a_server_that_always_answers_in_another_form_is_not_asked_twice(
    local_s3: Space, tmp_path: Path
) -> None:
    local_s3.put("a", b"1234")
    with breaking_proxy(local_s3.s3.endpoint, lambda _: ODD["no ETag"]) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        assert b"".join(streamed(store, "a", Span(n, n + 1)) for n in range(4)) == b"1234"
        assert len(proxy.requests) == 5


@server
@pytest.mark.fault
def test_a_connection_that_ends_after_each_answer_serves_too(
    local_s3: Space, tmp_path: Path, no_client: None
) -> None:
    content = noise(3 * MiB)
    local_s3.put("a", content)
    with breaking_proxy(
        local_s3.s3.endpoint, lambda _: Break(other_headers={"Connection": "close"})
    ) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        found = [streamed(store, "a", Span(n * MiB, (n + 1) * MiB)) for n in range(3)]
        assert (b"".join(found), len(proxy.requests)) == (content, 3)


@server
def test_refusals_have_the_clients_words(local_s3: Space, tmp_path: Path) -> None:
    local_s3.put("a", b"1234")
    store = a_store(local_s3, tmp_path)
    gone = failure_of(lambda: store.stream("b", ANY_STATE, Span(0, 3)))
    changed = failure_of(lambda: store.stream("a", Pin("0" * 32), Span(0, 3)))
    assert (gone.reason, changed.reason) == (Reason.OBJECT_NOT_FOUND, Reason.INPUT_DRIFT)
    stranger = a_store(local_s3, tmp_path, identity=replace(local_s3.s3.admin, secret_key="wrong"))
    refused = failure_of(lambda: stranger.stream("a", ANY_STATE, Span(0, 3)))
    assert refused.reason is Reason.CREDENTIALS_REFUSED


def has_streamer(datastore: Datastore, folder: Path, s3: S3) -> bool:
    write_secret(folder / datastore.name, s3.admin)
    store = open_store(datastore, Places(folder))
    assert isinstance(store, ObjectStore)
    return store.streamer is not None


def test_it_is_for_plain_http_with_keys_of_a_secret_and_no_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = S3(endpoint="")
    plain, secure = {"endpoint": "http://store:8333"}, {"endpoint": "https://store"}
    assert has_streamer(an_s3(location=plain, credentials_secret="keys"), tmp_path, s3)
    assert not has_streamer(an_s3(location=secure, credentials_secret="keys"), tmp_path, s3)
    assert not has_streamer(an_s3(credentials_secret="keys"), tmp_path, s3)
    assert not has_streamer(an_s3(location=plain), tmp_path, s3)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    assert not has_streamer(an_s3(location=plain, credentials_secret="keys"), tmp_path, s3)
