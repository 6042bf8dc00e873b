"""The cluster's certificate authority, the API server's certificate and the key pair of the service
accounts: made anew for every cluster with openssl, valid for tests only."""

from __future__ import annotations

from pathlib import Path

from cluster.native.layout import API_SERVICE_ADDRESS, NODE_ADDRESS
from cluster.progress import run

_DAYS = "30"
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
API_SERVER_NAMES = (
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    "DNS:kubernetes.default.svc.cluster.local",
    "DNS:localhost",
    "IP:127.0.0.1",
    f"IP:{NODE_ADDRESS}",
    f"IP:{API_SERVICE_ADDRESS}",
)


def make_certificates(folder: Path) -> None:
    """Writes ca.*, api.* and accounts.* into the folder, unless they are there."""
    if (folder / "accounts.pub").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _make_authority(folder)
    _make_api_certificate(folder)
    key = folder / "accounts.key"
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key])
    run(["openssl", "pkey", "-in", key, "-pubout", "-out", folder / "accounts.pub"])


def _make_authority(folder: Path) -> None:
    where = ("-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    run(["openssl", "req", "-x509", *_CURVE, "-days", _DAYS, "-subj", "/CN=towpath-test-ca", *where])


def _make_api_certificate(folder: Path) -> None:
    request, extensions = folder / "api.csr", folder / "api.ext"
    extensions.write_text(f"subjectAltName={','.join(API_SERVER_NAMES)}\nextendedKeyUsage=serverAuth\n")
    run(
        [
            "openssl",
            "req",
            *_CURVE,
            "-subj",
            "/CN=kube-apiserver",
            "-keyout",
            folder / "api.key",
            "-out",
            request,
        ]
    )
    authority = ("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial")
    signed = ("-days", _DAYS, "-extfile", extensions, "-out", folder / "api.crt")
    run(["openssl", "x509", "-req", "-in", request, *authority, *signed])
