"""An API server on loopback that breaks as a test wants: hangs, refuses, cuts, lies about versions.

A real API server cannot be made to do these on command; everything that it can show is tested against it instead.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from kubernetes.aio.client import Configuration

from towpath_operator.cluster.client import Client

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Counts requests and hands each to `handler`, which a test may change at any time."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.counted: list[tuple[str, str]] = []
        self.handler: Handler = refuse(500)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Whatever the test wants."""
        self.requests.append(request)
        return await self.handler(request)


@asynccontextmanager
async def broken_server() -> AsyncIterator[tuple[Server, Client]]:
    """A server and a client of it."""
    server, application = Server(), web.Application()
    application.router.add_route("*", "/{tail:.*}", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    client = Client(Configuration(host=f"http://127.0.0.1:{port}"), lambda *call: server.counted.append(call))
    try:
        yield server, client
    finally:
        await client.close()
        await runner.cleanup()


def refuse(status: int, reason: str = "InternalError", headers: dict[str, str] | None = None) -> Handler:
    """Answers everything with this status."""

    async def handler(_: web.Request) -> web.StreamResponse:
        body = {"kind": "Status", "code": status, "reason": reason, "message": f"broken: {reason}"}
        return web.json_response(body, status=status, headers=headers)

    return handler


async def hang(_: web.Request) -> web.StreamResponse:
    """Accepts and never answers."""
    await asyncio.Event().wait()
    raise AssertionError


async def cut(request: web.Request) -> web.StreamResponse:
    """Closes the connection in the middle of an answer."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"metadata": ')
    if request.transport is not None:
        request.transport.close()
    return response


async def stream(request: web.Request, events: list[Any], then_hang: bool = False) -> web.StreamResponse:
    """A watch's answer: one line per event, then its end or silence."""
    response = web.StreamResponse()
    await response.prepare(request)
    for event in events:
        await response.write(json.dumps(event).encode() + b"\n")
    if then_hang:
        await asyncio.Event().wait()
    return response


def job(name: str, version: int, uid: str = "", **meta: Any) -> dict[str, Any]:
    """A Job as small as the reflector takes it."""
    return {
        "metadata": {
            "name": name,
            "namespace": "ns",
            "uid": uid or f"uid-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            **meta,
        },
        "spec": {},
        "status": {},
    }


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Give other tasks the loop until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
