"""The relay does what a fault says of it: or nothing that it shows would mean anything."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest

from chaos.cutting_proxy import CuttingProxy, Mode, cutting_proxy


class Counter:
    """A server that counts what it is asked, one word on each connection, and says the number."""

    def __init__(self) -> None:
        self.asked = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection:
                    if connection.recv(100):
                        self.asked += 1
                        connection.sendall(str(self.asked).encode())


@pytest.fixture
def counter() -> Iterator[Counter]:
    counter = Counter()
    yield counter
    counter.socket.close()


@pytest.fixture
def proxy(counter: Counter) -> Iterator[CuttingProxy]:
    with cutting_proxy("127.0.0.1", counter.socket.getsockname()) as proxy:
        yield proxy


def ask(proxy: CuttingProxy) -> str | None:
    """What is heard of one question; None where the connection ends first."""
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
            connection.sendall(b"how many")
            return connection.recv(100).decode() or None
    except ConnectionError:
        return None


def test_it_relays(proxy: CuttingProxy, counter: Counter) -> None:
    assert [ask(proxy), ask(proxy)] == ["1", "2"]


def test_of_answers_that_are_lost_the_server_has_done_what_was_asked(
    proxy: CuttingProxy, counter: Counter
) -> None:
    proxy.mode = Mode.LOSE_ANSWERS
    assert [ask(proxy) for _ in range(4)] == [None, "2", None, "4"]
    assert counter.asked == 4


def test_what_is_refused_never_reaches_the_server(proxy: CuttingProxy, counter: Counter) -> None:
    proxy.mode = Mode.REFUSE
    assert ask(proxy) is None
    assert counter.asked == 0
