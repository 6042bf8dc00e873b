"""Stores of each kind on loopback: SeaweedFS and versitygw for S3, Azurite for Azure, a stand-in for Google's."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from Crypto.PublicKey import RSA

from cluster.access import S3
from cluster.space import client_for
from cluster.store import Identity
from cluster.waiting import wait_until
from mover.certificates import certified
from stores.gcs_server import gcs_server
from stores.json_api import JsonApi
from stores.places import AzureJudge, GcsJudge, Place, S3Judge, azure_service
from stores.programs import FAKE_GCS, VERSITYGW, azurite_command, go_program, launch

BUCKET = "towpath-tests"
# Azurite's own account, which is in its documentation.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SERVICE_ACCOUNT = "mover@towpath.example"


class Certificate(NamedTuple):
    """A server's certificate that is its own authority, and its key; and what a server in Python speaks TLS with."""

    ca: Path
    key: Path
    context: ssl.SSLContext


def make_certificate(folder: Path, address: str = "127.0.0.1") -> Certificate:
    """A new certificate for a server at this address."""
    ca, key = folder / "ca.crt", folder / "server.key"
    return Certificate(ca, key, certified(ca, key, address))


@contextmanager
def running(
    command: Callable[[int], list[str | Path]], folder: Path, host: str = "127.0.0.1"
) -> Iterator[int]:
    """The port of a server that listens there; killed at the end."""
    for _ in range(5):
        port = _free_port(host)
        process = launch(command(port), folder)
        try:
            if wait_until(partial(_is_decided, process, host, port), 60) and process.poll() is None:
                yield port
                return
        finally:
            process.kill()
            process.wait()
    raise RuntimeError((folder / "server.log").read_text(errors="replace")[-2000:])


def _free_port(host: str) -> int:
    with closing(socket.create_server((host, 0))) as found:
        return int(found.getsockname()[1])


def _is_decided(process: subprocess.Popen[bytes], host: str, port: int) -> bool:
    with closing(socket.socket()) as probe:
        return process.poll() is not None or probe.connect_ex((host, port)) == 0


def s3_place(s3: S3) -> Place:
    """A bucket of an S3 server, entered as the administrator."""
    client = client_for(s3)
    if not client.bucket_exists(s3.bucket):
        client.make_bucket(s3.bucket)
    location = {"bucket": s3.bucket, "endpoint": s3.endpoint, "region": s3.region, "prefix": "p/"}
    secret = {"AWS_ACCESS_KEY_ID": s3.admin.access_key, "AWS_SECRET_ACCESS_KEY": s3.admin.secret_key}
    return Place("s3", location, S3Judge(client, s3.bucket), secret)


@contextmanager
def versitygw(folder: Path) -> Iterator[Place]:
    """A second S3 implementation, whose objects are files of a folder."""
    program, root = go_program(VERSITYGW), Identity("versity-root", "versity-root-secret")
    (folder / "data").mkdir(parents=True)

    def command(port: int) -> list[str | Path]:
        keys: list[str | Path] = ["--access", root.access_key, "--secret", root.secret_key]
        return [program, *keys, "--port", f"127.0.0.1:{port}", "--quiet", "posix", folder / "data"]

    with running(command, folder) as port:
        yield s3_place(S3(f"http://127.0.0.1:{port}", bucket=BUCKET, admin=root, reader=None))


@contextmanager
def azure(folder: Path, host: str = "127.0.0.1", tls: Certificate | None = None) -> Iterator[Place]:
    """A container of Azurite, entered with the account's key. By https it takes tokens too, whoever made them."""
    program = azurite_command()
    options: list[str | Path] = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    options += ["--cert", tls.ca, "--key", tls.key, "--oauth", "basic"] if tls else []

    def command(port: int) -> list[str | Path]:
        place: list[str | Path] = ["--blobHost", host, "--blobPort", str(port), "--location", folder / "data"]
        return [*program, *place, *options]

    with running(command, folder, host) as port:
        endpoint = f"{'https' if tls else 'http'}://{host}:{port}/{ACCOUNT}"
        service = azure_service(endpoint, ACCOUNT, ACCOUNT_KEY, tls.ca if tls else None)
        container = service.create_container(BUCKET)
        location = {"account": ACCOUNT, "container": BUCKET, "endpoint": endpoint, "prefix": "p/"}
        ca = tls.ca.read_bytes() if tls else None
        secret = {"AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY}
        hostile = ("a//b", "tab\there", "new\nline", "del\x7f", "dir/")
        yield Place("azureBlob", location, AzureJudge(container), secret, ca, hostile)


def sas_token(account_key: str = ACCOUNT_KEY) -> str:
    """A shared access signature for the container, as Azure's portal shows it."""
    may = ContainerSasPermissions(read=True, write=True, list=True, delete=True)
    until = datetime.now(UTC) + timedelta(hours=1)
    return "?" + generate_container_sas(
        ACCOUNT, BUCKET, account_key=account_key, permission=may, expiry=until
    )


@contextmanager
def gcs(tls: Certificate, host: str = "127.0.0.1") -> Iterator[Place]:
    """A bucket of the stand-in, by https and with the key of a service account."""
    key = RSA.generate(2048)
    with gcs_server(BUCKET, key.public_key(), tls.context, host) as server:
        location = {"bucket": BUCKET, "endpoint": server.endpoint, "prefix": "p/"}
        secret = {"GOOGLE_SERVICE_ACCOUNT_KEY": service_account_key(key)}
        hostile = ("a//b", "a/../b", "a/./b", "tab\there", "del\x7f", "one\x01", "dir/")
        yield Place("gcs", location, GcsJudge(server), secret, tls.ca.read_bytes(), hostile)


@contextmanager
def fake_gcs(folder: Path) -> Iterator[Place]:
    """A bucket of fake-gcs-server, entered as nobody; movers can read there what its JSON API was given."""
    program = go_program(FAKE_GCS)

    def command(port: int) -> list[str | Path]:
        place = ("-host", "127.0.0.1", "-port", str(port), "-public-host", f"127.0.0.1:{port}")
        return [program, "-scheme", "http", "-backend", "memory", *place]

    with running(command, folder) as port:
        endpoint = f"http://127.0.0.1:{port}"
        api = JsonApi(endpoint, BUCKET)
        api.make_bucket()
        yield Place("gcs", {"bucket": BUCKET, "endpoint": endpoint, "prefix": "p/"}, api)


def service_account_key(key: RSA.RsaKey) -> str:
    """The JSON document that Google gives for a service account."""
    private = key.export_key(pkcs=8).decode() + "\n"
    document = {"type": "service_account", "client_email": SERVICE_ACCOUNT, "private_key": private}
    return json.dumps(
        document | {"private_key_id": "key-1", "token_uri": "https://oauth2.googleapis.com/token"}
    )
