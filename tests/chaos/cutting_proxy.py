"""A TCP relay that cuts, refuses, stalls, loses answers or answers for the server when told to: no real server does
on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from threading import Thread

_PIECE = 1 << 16
_BODY = b"<Error><Code>SlowDown</Code><Message>Not now.</Message></Error>"
_HEAD = f"HTTP/1.1 503 Slow Down\r\nContent-Length: {len(_BODY)}\r\nConnection: close\r\n\r\n"
_SLOW_DOWN = _HEAD.encode() + _BODY


class Mode(StrEnum):
    """What becomes of a connection that is made now; and of those that there are, where answers are lost."""

    RELAY = "relay"
    # What is asked is done, and who asked is cut off instead of hearing of it: every other time.
    LOSE_ANSWERS = "lose answers"
    REFUSE = "refuse"
    STALL = "stall"
    SLOW_DOWN = "slow down"


class CuttingProxy:
    """Where to reach it, and how it behaves now."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.mode = Mode.RELAY
        self.port = 0
        self.connections = 0
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._answers = 0

    def cut(self) -> None:
        """End all connections at once, in the middle of whatever they carry."""
        self._loop.call_soon_threadsafe(self._abort_all)

    async def close(self) -> None:
        """End all connections, and whoever serves them."""
        if self._server is not None:
            self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def serve(self, host: str) -> asyncio.AbstractEventLoop:
        """Listen on a free port of this address; the loop must then be run."""
        self._server = self._loop.run_until_complete(asyncio.start_server(self._relay, host, 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self._loop

    def _abort_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            # A relay that is closed cancels its connections; asyncio would tell of each.
            with suppress(OSError, asyncio.CancelledError):
                await self._behave(reader, writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _behave(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self.mode:
            case Mode.RELAY | Mode.LOSE_ANSWERS:
                beyond, back = await asyncio.open_connection(*self._upstream)
                self._open.add(back)
                try:
                    await asyncio.gather(_pump(reader, back), self._answer(beyond, writer))
                finally:
                    self._open.discard(back)
                    back.transport.abort()
            case Mode.SLOW_DOWN:
                await reader.read(_PIECE)
                writer.write(_SLOW_DOWN)
                await writer.drain()
            case Mode.STALL:
                await reader.read()
            case Mode.REFUSE:
                pass

    async def _answer(self, beyond: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await beyond.read(_PIECE):
            self._answers += 1
            if self.mode is Mode.LOSE_ANSWERS and self._answers % 2:
                writer.transport.abort()
                return
            writer.write(piece)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(_PIECE):
        target.write(piece)
        await target.drain()
    with suppress(OSError):
        target.write_eof()


@contextmanager
def cutting_proxy(host: str, upstream: tuple[str, int]) -> Iterator[CuttingProxy]:
    """A relay on a free port of `host` until the block ends."""
    proxy = CuttingProxy(upstream)
    loop = proxy.serve(host)
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
