"""The operator's small web server: /healthz, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from towpath_operator.health import Health
from towpath_operator.metrics import Metrics


def make_application(
    health: Health, metrics: Metrics, count: Callable[[], None] = lambda: None
) -> web.Application:
    """Probes answer 500 with a line per trouble; /metrics speaks Prometheus' text format.

    `count` sets, before each answer, what is not counted as it happens.
    """

    async def healthz(_: web.Request) -> web.Response:
        return _answer(health.ailments())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(health.missing())

    async def exposition(_: web.Request) -> web.Response:
        count()
        is_leading = health.leading.is_set()
        # A standby's queue fills and nobody empties it: that is no news.
        metrics.queue_depth.set(len(health.queue) if is_leading else 0)
        metrics.queue_oldest.set(health.queue.oldest_age() if is_leading else 0)
        metrics.leading.set(int(is_leading))
        return web.Response(body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    application = web.Application()
    application.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", exposition)]
    )
    return application


async def serve(application: web.Application, host: str, port: int) -> web.AppRunner:
    """Listen; the caller cleans the runner up."""
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def _answer(troubles: list[str]) -> web.Response:
    return web.Response(text="\n".join(troubles) or "ok", status=500 if troubles else 200)
