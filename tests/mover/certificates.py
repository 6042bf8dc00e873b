"""A server's certificate for loopback that is also its own CA, as `openssl` makes it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path


def certified(ca: Path, key: Path, address: str = "127.0.0.1", days: int = 1) -> ssl.SSLContext:
    """Write the certificate to `ca` and its key beside it; what a server at this address speaks TLS with.

    One of -1 days has expired.
    """
    ca.parent.mkdir(parents=True, exist_ok=True)
    request = f"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={address}"
    extensions = ["-addext", f"subjectAltName=IP:{address}", "-addext", "basicConstraints=critical,CA:FALSE"]
    asked = subprocess.run(
        [*request.split(), *extensions, "-keyout", str(key)], check=True, capture_output=True
    )
    sign = f"openssl x509 -req -signkey {key} -days {days} -copy_extensions copy -out {ca}"
    subprocess.run(sign.split(), input=asked.stdout, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, key)
    return context
