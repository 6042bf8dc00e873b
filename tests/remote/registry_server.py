"""A real registry (distribution's) on loopback, open, with a login, or with tokens of a server of ours.

Real token servers belong to those who run registries: ours signs what the real registry then verifies.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import urllib3
import yaml
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import bcrypt
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS

from mover.certificates import certified
from stores.programs import go_program
from stores.servers import running

REGISTRY = "github.com/distribution/distribution/v3/cmd/registry@v3.0.0"
# As the file of the program htpasswd has it.
HTPASSWD = f"user:{bcrypt('secret', 4).decode()}\n"
LOGIN = base64.b64encode(b"user:secret").decode()
_KIND = "application/vnd.oci.image"


class Registry(NamedTuple):
    """Where it listens, and the logins that were shown to its token server."""

    host: str
    logins: list[str | None]


@contextmanager
def registry(folder: Path, auth: dict[str, Any] | None = None) -> Iterator[str]:
    """The host and port of a registry that keeps its images in a folder."""
    program = go_program(REGISTRY)
    folder.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str | Path]:
        config: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
            "http": {"addr": f"127.0.0.1:{port}"},
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config | ({"auth": auth} if auth else {})))
        return [program, "serve", folder / "config.yaml"]

    with running(command, folder) as port:
        yield f"127.0.0.1:{port}"


def push(host: str, repository: str, tag: str, content: bytes) -> str:
    """Put an image of one config there; the digest of its manifest, as the standard says it is made."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "about": content.decode()}).encode()
    blob = f"sha256:{sha256(config).hexdigest()}"
    with urllib3.PoolManager() as client:
        begun = client.request("POST", f"http://{host}/v2/{repository}/blobs/uploads/")
        place = begun.headers["Location"]
        client.request("PUT", f"{place}&digest={blob}", body=config)
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{_KIND}.manifest.v1+json",
                "config": {"mediaType": f"{_KIND}.config.v1+json", "size": len(config), "digest": blob},
                "layers": [],
            }
        ).encode()
        kind = {"Content-Type": f"{_KIND}.manifest.v1+json"}
        url = f"http://{host}/v2/{repository}/manifests/{tag}"
        answer = client.request("PUT", url, body=manifest, headers=kind)
    assert answer.status == 201, answer.data
    return f"sha256:{sha256(manifest).hexdigest()}"


@contextmanager
def with_tokens(folder: Path, images: Path) -> Iterator[Registry]:
    """A registry that wants a token of a server, which gives one to anybody, and notes who asked."""
    ca, key = folder / "token.crt", folder / "token.key"
    certified(ca, key)
    logins: list[str | None] = []
    with ExitStack() as stack:
        realm = stack.enter_context(_token_server(ca, key, logins))
        token = {"realm": realm, "service": "test", "issuer": "test", "rootcertbundle": str(ca)}
        (folder / "images").symlink_to(images / "images")
        yield Registry(stack.enter_context(registry(folder, {"token": token})), logins)


@contextmanager
def _token_server(ca: Path, key: Path, logins: list[str | None]) -> Iterator[str]:
    class Tokens(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            logins.append(self.headers.get("Authorization"))
            asked = parse_qs(urlsplit(self.path).query)
            body = json.dumps({"token": _token(ca, key, asked["scope"][0])}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the standard's
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _token(ca: Path, key: Path, scope: str) -> str:
    _, repository, actions = scope.split(":")
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(ca.read_text())).decode()
    now = int(time.time())
    claims = {
        "iss": "test",
        "aud": "test",
        "sub": "",
        "iat": now,
        "nbf": now - 60,
        "exp": now + 300,
        "jti": "1",
        "access": [{"type": "repository", "name": repository, "actions": [actions]}],
    }
    signed = f"{_part({'alg': 'ES256', 'typ': 'JWT', 'x5c': [der]})}.{_part(claims)}"
    signer = DSS.new(ECC.import_key(key.read_text()), "fips-186-3")
    return f"{signed}.{_encoded(signer.sign(SHA256.new(signed.encode())))}"


def _part(document: dict[str, Any]) -> str:
    return _encoded(json.dumps(document).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
