"""`towpath ui`: a real server on the loopback, read only, for who has the address and for no other site."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from cli.command_line import towpath
from cli.memory import MemoryBackend
from cli.pictures import everything
from cli.serving import running
from towpath import errors
from towpath.cli.server import make_server

TOKEN = "t0ken"


@contextmanager
def served(backend: MemoryBackend) -> Iterator[int]:
    """The port of a running server."""
    with running(make_server(lambda: backend, TOKEN, 0)) as port:
        yield port


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(everything()) as found:
        yield found


def ask(port: int, path: str, method: str = "GET", host: str | None = None) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "step validate failed"),
        ("/run/iris-2", "Run iris-2"),
        ("/dataset/iris-model", "Lineage of iris-model@1"),
        ("/dataset/iris", "iris.csv in default"),
    ],
)
def test_every_page_is_shown(port: int, path: str, words: str) -> None:
    answer, page = ask(port, f"/{TOKEN}{path}")
    assert answer.status == 200
    assert words in page


@pytest.mark.parametrize(
    "path", ["/", "/run/iris-2", "/wrong/", f"/{TOKEN}", f"/{TOKEN}x/", "/%00/", "//", "/%ff/"]
)
def test_without_the_token_nothing_is_shown(port: int, path: str) -> None:
    answer, page = ask(port, path)
    assert answer.status == 403
    assert "iris" not in page


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost:1:2", ""]
)
def test_a_foreign_name_that_leads_here_is_refused(port: int, host: str) -> None:
    assert ask(port, f"/{TOKEN}/", host=host or " ")[0].status == 403


def test_localhost_is_the_same_machine(port: int) -> None:
    assert ask(port, f"/{TOKEN}/", host=f"localhost:{port}")[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(port: int, method: str) -> None:
    assert ask(port, f"/{TOKEN}/", method)[0].status == 501


def test_head_says_what_get_would_and_brings_nothing(port: int) -> None:
    answer, page = ask(port, f"/{TOKEN}/", "HEAD")
    assert (answer.status, page) == (200, "")
    assert int(answer.headers["Content-Length"]) > 1000


@pytest.mark.parametrize(
    "path", ["/run/none", "/run/", "/run/a/b", "/run/..%2Fx", "/run/%0a", "/x", "/dataset/IRIS"]
)
def test_what_is_not_there_is_not_found(port: int, path: str) -> None:
    answer, page = ask(port, f"/{TOKEN}{path}")
    assert answer.status == 404
    assert "There is no such page here." in page


def test_every_answer_forbids_scripts_frames_and_caches(port: int) -> None:
    for path in (f"/{TOKEN}/", "/", f"/{TOKEN}/x"):
        headers = ask(port, path)[0].headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"].strip() == "towpath"


def test_a_run_that_goes_on_is_shown_anew() -> None:
    backend = everything()
    del backend.objects["PipelineRun", "iris-2"]["status"]["completionTime"]
    with served(backend) as port:
        assert 'http-equiv="refresh" content="5"' in ask(port, f"/{TOKEN}/run/iris-2")[1]
        assert "refresh" not in ask(port, f"/{TOKEN}/run/iris-1")[1]


class Gone(MemoryBackend):
    """A cluster that stopped to answer."""

    def list_objects(self, kind: object, labels: object = None) -> list[dict[str, Any]]:
        raise errors.UnreachableError("no answer from <b>https://x</b>")


def test_a_cluster_that_does_not_answer_is_said_on_the_page() -> None:
    with served(Gone()) as port:
        answer, page = ask(port, f"/{TOKEN}/")
    assert answer.status == 502
    assert "no answer from &lt;b&gt;https://x&lt;/b&gt;" in page


def test_a_broken_request_ends_its_connection_and_nothing_else(port: int) -> None:
    for data in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET /" + b"a" * 70_000):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(data + b" HTTP/1.1\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            connection.recv(100)
    assert ask(port, f"/{TOKEN}/")[0].status == 200


def test_only_this_machine_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []

    def serve(server: Any, poll_interval: float) -> None:
        seen.append(server.server_address)
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", serve)
    called = towpath(everything(), "ui", "--no-open")
    assert called.code == 0
    [(address, port)] = seen
    assert address == "127.0.0.1"
    assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/[\w-]{{22}}/\n", called.out)
    assert "Showing namespace team-a of cluster test to who has this address." in called.err


def test_a_port_that_is_taken_is_named(port: int) -> None:
    called = towpath(everything(), "ui", "--no-open", "--port", str(port))
    assert called.code == 2
    assert f"Port {port} cannot be listened at: Address already in use. Give another --port." in called.err
