"""Stores behind TLS: a proxy with a certificate of its own CA stands before the real S3 server."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from cluster.space import Space
from mover.breaking_proxy import breaking_proxy
from mover.transfers import MiB, a_store, behind, fetch, files_in, found_in, noise, send
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import read_object
from towpath_mover.stores import PROBE, Places, Store, open_store

pytestmark = pytest.mark.server


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate for loopback; it is also its own CA, as `ca.crt` of the datastore `default`."""
    folder = tmp_path / "ca" / "default"
    folder.mkdir(parents=True)
    key = tmp_path / "server.key"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1"
    )
    extensions = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    output = ["-keyout", str(key), "-out", str(folder / "ca.crt")]
    subprocess.run([*command.split(), *extensions, *output], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.crt", key)
    return context


def trusting(store: Store, folder: Path) -> Store:
    """The same store, opened with the CA of its ConfigMap."""
    datastore = store.datastore._replace(ca_config_map="my-ca")
    return open_store(datastore, Places(folder / "credentials", folder / "ca"), store.patience)


def test_an_unknown_certificate_is_not_trusted(
    local_s3: Space, tmp_path: Path, certificate: ssl.SSLContext
) -> None:
    with breaking_proxy(local_s3.s3.endpoint, tls=certificate) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, PROBE)
        with pytest.raises(MoverFailure, match="caConfigMapRef") as raised:
            read_object(store, "a")
    assert raised.value.reason is Reason.CERTIFICATE_NOT_TRUSTED


def test_a_named_ca_is_trusted_and_bodies_arrive_whole(
    local_s3: Space, tmp_path: Path, certificate: ssl.SSLContext
) -> None:
    contents = {"small": b"1", "large": noise(20 * MiB)}
    with breaking_proxy(local_s3.s3.endpoint, tls=certificate) as proxy:
        store = trusting(a_store(behind(local_s3, proxy.endpoint), tmp_path), tmp_path)
        sent = send(files_in(tmp_path / "source", contents), store)
        target = fetch(sent.values(), store, tmp_path / "target")
    assert found_in(target) == contents
    assert local_s3.get("out/data/large") == contents["large"]
