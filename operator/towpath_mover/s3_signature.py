"""A request without a body → the headers that AWS's Signature Version 4 asks for: what obstore cannot ask."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

from towpath_mover.store_s3 import Credentials

_NOTHING = sha256(b"").hexdigest()


def query_of(parameters: Mapping[str, str]) -> str:
    """Return a query as it is signed and sent: sorted, each byte escaped that is not plain."""
    return "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in sorted(parameters.items()))


def signed_headers(
    url: str, region: str, credentials: Credentials, now: datetime, method: str = "GET"
) -> dict[str, str]:
    """Return the headers for a request of this URL, whose query is one of `query_of`; `now` is in UTC."""
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(url)
    headers = {"host": parts.netloc, "x-amz-content-sha256": _NOTHING, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"{method}\n{parts.path}\n{parts.query}\n{lines}\n{names}\n{_NOTHING}"
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    signature = _keyed(_signing_key(credentials.secret_key, scope), text).hex()
    identity = f"Credential={credentials.access_key}/{scope}"
    return headers | {
        "authorization": f"AWS4-HMAC-SHA256 {identity}, SignedHeaders={names}, Signature={signature}"
    }


def _escaped(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def _signing_key(secret_key: str, scope: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = _keyed(key, part)
    return key


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
