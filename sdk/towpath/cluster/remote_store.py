"""`Store` over a link: blocks of 8 MiB, several at once, each with its digest; what came as others is asked for again.

A large file is written as parts that say what they hold. Who writes the same content to the same path again, after a
kill, sends only what is not there yet.
"""

from __future__ import annotations

import http.client
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from towpath.backend import Store, Stored
from towpath.cluster.answers import BrokenAnswerError, lines_in, raise_for
from towpath.cluster.blocks import blocks_of, spans_of
from towpath.cluster.link import Ask, Breaks, Link, Pods, broken
from towpath.cluster.transfer_pod import TransferPods
from towpath.errors import UserErrorException
from towpath_mover import transfer_protocol as protocol

if TYPE_CHECKING:
    from towpath.cluster.backend import ClusterBackend

# Of one file; a transfer of many has as many requests under way as threads.
_AHEAD = 4
_WORKERS = 8

Result = TypeVar("Result")


@contextmanager
def open_remote_store(backend: ClusterBackend, datastore: str) -> Iterator[Store]:
    """Enter a datastore through a pod of its own, which is gone at the end."""
    with served_by(TransferPods(backend, datastore)) as store:
        yield store


@contextmanager
def served_by(pods: Pods) -> Iterator[RemoteStore]:
    """The store that such pods serve."""
    link = Link(pods)
    link.open()
    workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="towpath-transfer")
    try:
        yield RemoteStore(link, workers)
    finally:
        workers.shutdown(wait=False, cancel_futures=True)
        link.close()


class RemoteStore:
    """The bytes of one datastore of a cluster; many threads use it at once."""

    def __init__(self, link: Link, workers: ThreadPoolExecutor) -> None:
        self._link = link
        self._workers = workers

    def list_files(self, prefix: str) -> Iterator[Stored]:
        """Every object whose path starts with the prefix; a listing that breaks off goes on behind what came."""
        last, seen, breaks = "", "", Breaks()
        while True:
            try:
                for found in self._listed(prefix):
                    if found.path > seen or not seen:
                        last = found.path
                        yield found
                return
            except Exception as error:
                if not broken(error):
                    raise
                self._link.mend(breaks, error)
                seen = last

    def state(self, path: str) -> Stored:
        """What the store says of one object."""
        return _stored(path, self._json(Ask("GET", protocol.OBJECT, {"path": path})))

    def digest(self, path: str) -> str:
        """The SHA-256 of an object, read beside the store."""
        return str(self._lasting(Ask("GET", protocol.DIGEST, {"path": path}))["sha256"])

    def read(
        self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
    ) -> Iterator[bytes]:
        """The object's bytes, in one state of it."""
        if length is None or etag is None:
            state = self.state(path)
            etag = etag or state.etag
            length = state.size - start if length is None else length
        query = {"path": path, **({"etag": etag} if etag else {})}

        def read_block(span: tuple[int, int]) -> bytes:
            asked = query | {"start": str(span[0]), "end": str(span[1])}
            return self._mended(lambda: self._block(Ask("GET", protocol.BLOCKS, asked)))

        yield from self._ahead(read_block, spans_of(start, length))

    def write(self, path: str, chunks: Iterable[bytes], size: int) -> Stored:
        """Write the object whole or not at all."""
        blocks = blocks_of(chunks, size, path)
        if size <= protocol.BLOCK:
            content = next(blocks, b"")
            put = _put(protocol.OBJECT, {"path": path}, content, protocol.digest_of(content))
            return _stored(path, self._json(put))
        return self._write_large(path, blocks, size)

    def delete(self, path: str) -> None:
        """Delete the object, if it is there."""
        self._json(Ask("DELETE", protocol.OBJECT, {"path": path}))

    def _write_large(self, path: str, blocks: Iterator[bytes], size: int) -> Stored:
        # The same place and size are the same upload: what its parts hold, their names say.
        upload = sha256(f"{path}\n{size}".encode()).hexdigest()
        there = set(self._json(Ask("GET", protocol.PARTS, {"upload": upload, "path": path}))["parts"])
        whole, parts = sha256(), []

        def numbered() -> Iterator[tuple[int, bytes, str]]:
            for number, block in enumerate(blocks):
                whole.update(block)
                parts.append(protocol.digest_of(block))
                yield number, block, parts[-1]

        def send(part: tuple[int, bytes, str]) -> None:
            number, block, digest = part
            if f"{number:06}-{digest}" not in there:
                self._json(_put(protocol.PARTS, {"upload": upload, "number": str(number)}, block, digest))

        for _ in self._ahead(send, numbered()):
            pass
        asked = {"path": path, "upload": upload, "parts": parts, "sha256": whole.hexdigest(), "size": size}
        return _stored(path, self._lasting(Ask("POST", protocol.JOIN, body=json.dumps(asked).encode())))

    def _ahead(self, action: Callable[[Any], Result], tasks: Iterator[Any]) -> Iterator[Result]:
        """What the action gives of each task, in order, some of them under way at once."""
        under_way: deque[Future[Result]] = deque()
        for task in tasks:
            under_way.append(self._workers.submit(action, task))
            if len(under_way) == _AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def _json(self, ask: Ask) -> dict[str, Any]:
        def once() -> dict[str, Any]:
            with self._link.answer(ask) as answer:
                told: dict[str, Any] = json.loads(_body(answer))
                return told

        return self._mended(once)

    def _lasting(self, ask: Ask) -> dict[str, Any]:
        """The last line of an answer that comes after a while; the lines before it only say that it will."""

        def once() -> dict[str, Any]:
            with self._link.answer(ask) as answer:
                *_, last = lines_in(answer)
                return last

        return self._mended(once)

    def _listed(self, prefix: str) -> Iterator[Stored]:
        with self._link.answer(Ask("GET", protocol.FILES, {"prefix": prefix})) as answer:
            for line in lines_in(answer):
                yield Stored(line["path"], line["size"], line["etag"])

    def _block(self, ask: Ask) -> bytes:
        with self._link.answer(ask) as answer:
            content = _body(answer)
            if protocol.digest_of(content) != answer.headers[protocol.SHA256_HEADER]:
                raise BrokenAnswerError(f"{len(content)} bytes came as others than were sent")
            return content

    def _mended(self, once: Callable[[], Result]) -> Result:
        breaks = Breaks()
        while True:
            try:
                return once()
            except Exception as error:
                if not broken(error):
                    raise
                self._link.mend(breaks, error)


def _body(answer: http.client.HTTPResponse) -> bytes:
    raise_for(answer)
    return answer.read()


def _put(path: str, query: dict[str, str], content: bytes, digest: str) -> Ask:
    return Ask("PUT", path, query, content, {protocol.SHA256_HEADER: digest})


def _stored(path: str, told: dict[str, Any]) -> Stored:
    if "size" not in told:
        raise UserErrorException(
            f"The pod of the transfer speaks of {path} in a way that this release does not know."
        )
    return Stored(path, told["size"], told.get("etag"))
