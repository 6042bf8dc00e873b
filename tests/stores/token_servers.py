"""Who gives tokens in clouds, on loopback: what they answer is what Azure's and Amazon's documentation shows."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class TokenServer(ThreadingHTTPServer):
    """Gives the same answer to whoever asks, and remembers the path, the body and the Authorization of each."""

    daemon_threads = True

    def __init__(self, status: int, answer: dict[str, Any], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.answer = status, answer
        self.asked: list[tuple[str, str, str | None]] = []
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)


@contextmanager
def token_server(
    answer: dict[str, Any], tls: ssl.SSLContext | None = None, status: int = 200
) -> Iterator[TokenServer]:
    """A running server."""
    with TokenServer(status, answer, tls) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.asked.append((self.path, body, self.headers.get("Authorization")))
        content = json.dumps(self.server.answer).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        return


def azure_token() -> dict[str, Any]:
    """A token for Azure's storage, as Azurite takes it: it looks at everything but the signature."""
    now = int(time.time())
    claims = {"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/tenant/"}
    times = {"nbf": now - 60, "iat": now - 60, "exp": now + 3600}
    token = ".".join((_part({"alg": "RS256", "typ": "JWT"}), _part(claims | times), "signature"))
    return {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "expires_on": str(now + 3600)}


def amazon_credentials(access_key: str, secret_key: str) -> dict[str, str]:
    """Credentials for an hour. A real one has a session token, which servers that are not Amazon's do not know."""
    expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    keys = {"AccessKeyId": access_key, "SecretAccessKey": secret_key, "Token": ""}
    return keys | {"Expiration": expiration}


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


@contextmanager
def refusing_proxy() -> Iterator[tuple[str, list[str]]]:
    """The address of a proxy that lets nobody through, and the places that it was asked for."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(4096).split(b" ")[1].decode())
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
