"""The pages of a workspace on this machine's loopback: read only, for who knows the token, and for no other site."""

from __future__ import annotations

import hmac
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from towpath.backend import Backend, Kind
from towpath.cli.ancestry import ancestry
from towpath.cli.pages.markup import Markup, element, link
from towpath.cli.pages.page import POLICY, page
from towpath.cli.pages.run_page import run_page
from towpath.cli.pages.workspace_pages import dataset_page, index_page, missing_page
from towpath.cli.run_view import view_of
from towpath.cli.told import told_of
from towpath.errors import TowpathError
from towpath.flow import names
from towpath.flow.sweep_references import is_finished

LOOPBACK = "127.0.0.1"
REFRESH_SECONDS = 5
_HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Pages:
    """What an address of the workspace shows."""

    def __init__(self, open_backend: Callable[[], Backend]) -> None:
        self._backend = open_backend

    def find(self, parts: list[str]) -> tuple[HTTPStatus, Markup]:
        """The page of a path's parts."""
        try:
            found = self._find(parts, self._backend())
        except TowpathError as error:
            lines = [element("p", line) for line in str(error).splitlines()]
            return HTTPStatus.BAD_GATEWAY, page("The workspace cannot be read", *lines)
        return (HTTPStatus.OK, found) if found else (HTTPStatus.NOT_FOUND, missing_page("such page"))

    def _find(self, parts: list[str], backend: Backend) -> Markup | None:
        now = datetime.now(UTC)
        match parts:
            case [""]:
                return _index(backend, now)
            case ["run", name] if names.is_object_name(name):
                return _run(backend, name, now)
            case ["dataset", name] if names.is_object_name(name):
                return _dataset(backend, name, now)
            case _:
                return None


def make_server(open_backend: Callable[[], Backend], token: str, port: int) -> ThreadingHTTPServer:
    """A server that is bound and not yet running."""
    handler = partial(_Handler, Pages(open_backend), token)
    return _Server((LOOPBACK, port), handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle is no failure of ours, and nothing to be told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server_version = "towpath"
    sys_version = ""
    # Who opens a connection and says nothing holds a thread no longer than this.
    timeout = 30

    def __init__(self, pages: Pages, token: str, *args: object) -> None:
        self._pages, self._token = pages, token
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Show a page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Say what GET would."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: an address holds the token."""

    def _answer(self, *, with_body: bool) -> None:
        status, found = self._found()
        body = found.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _found(self) -> tuple[HTTPStatus, Markup]:
        _, _, port = self.headers.get("Host", "").rpartition(":")
        # A foreign name that was made to lead here (DNS rebinding) is refused, whatever it asks for.
        if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
            return HTTPStatus.FORBIDDEN, page(
                "Not here", element("p", "This server answers to its own name only.")
            )
        # /TOKEN/ and what is below it.
        _, _, rest = self.path.partition("?")[0].partition("/")
        token, slash, below = rest.partition("/")
        if not slash or not hmac.compare_digest(token.encode(errors="replace"), self._token.encode()):
            words = "The address that `towpath ui` printed has a token in it; this one has none, or another."
            return HTTPStatus.FORBIDDEN, page("Not for you", element("p", words))
        return self._pages.find([unquote(part) for part in below.split("/")])


def _index(backend: Backend, now: datetime) -> Markup:
    runs = backend.list_objects(Kind.PIPELINE_RUN)
    runs.sort(key=lambda run: run["metadata"].get("creationTimestamp") or "", reverse=True)
    others = [
        one for kind in (Kind.DATASET, Kind.DATASTORE, Kind.PIPELINE) for one in backend.list_objects(kind)
    ]
    return index_page(backend.where, runs, others, now)


def _run(backend: Backend, name: str, now: datetime) -> Markup | None:
    found = backend.get(Kind.PIPELINE_RUN, name)
    if found is None:
        return None
    view = view_of(found, backend.plan_of(found))
    above = element("p", link("All runs and datasets", ".."))
    refresh = None if is_finished(found) else REFRESH_SECONDS
    return run_page(view, told_of(backend, view), now, above, refresh)


def _dataset(backend: Backend, name: str, now: datetime) -> Markup | None:
    found = backend.get(Kind.DATASET, name)
    if found is None:
        return None
    versions = backend.list_objects(Kind.DATASET_VERSION)
    own = sorted(
        (one for one in versions if one["spec"]["dataset"] == name),
        key=lambda one: -int(one["spec"]["version"]),
    )
    views = [view_of(run, backend.plan_of(run)) for run in backend.list_objects(Kind.PIPELINE_RUN)]
    return dataset_page(found, own, ancestry(views, versions), now)
