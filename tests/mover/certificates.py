"""A server's certificate for loopback that is also its own CA, as `openssl` makes it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path


def certified(ca: Path, key: Path, address: str = "127.0.0.1") -> ssl.SSLContext:
    """Write the certificate to `ca` and its key beside it; what a server at this address speaks TLS with."""
    ca.parent.mkdir(parents=True, exist_ok=True)
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN={address}"
    )
    extensions = ["-addext", f"subjectAltName=IP:{address}", "-addext", "basicConstraints=critical,CA:FALSE"]
    output = ["-keyout", str(key), "-out", str(ca)]
    subprocess.run([*command.split(), *extensions, *output], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, key)
    return context
