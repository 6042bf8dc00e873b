"""One request to a URL → an answer whose body can be read, or a named failure; redirects are followed within bounds.

A mover lives in its user's namespace and reaches what any pod there reaches, no more; only http and https are spoken.
Messages show a URL without its query, which may hold a signature.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import certifi

from towpath_mover.failures import MoverFailure, Reason

MAX_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429)
_GONE = (404, 410)
_FORBIDDEN = (401, 403, 407)
_PLAIN = "/%:@!$&'()*+,;=~?-._[]"


class WebPatience(NamedTuple):
    """How long a server may take, in seconds, and how often it is asked again without having sent anything new."""

    connect_timeout: float = 10
    read_timeout: float = 60
    tries: int = 5
    first_pause: float = 1


class Validators(NamedTuple):
    """By what a server tells one state of a file from another; `is_strong`: equal ones mean equal bytes."""

    etag: str | None = None
    last_modified: str | None = None
    is_strong: bool = False


class Answer(NamedTuple):
    """A server's answer. `size` is that of the whole file; `start` the place of the body's first byte in it."""

    response: HTTPResponse
    validators: Validators
    size: int | None
    start: int

    @property
    def status(self) -> int:
        """The status code: 200, 206, 304 or 416."""
        return self.response.status


def trust(ca: Path | None) -> ssl.SSLContext:
    """Return who is trusted: the public authorities, the image's own, and those of a file."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca is not None:
        context.load_verify_locations(ca)
    return context


def ask(url: str, trusted: ssl.SSLContext, patience: WebPatience, headers: Mapping[str, str]) -> Answer:
    """Ask for a URL once, following redirects."""
    place = url
    for _ in range(MAX_REDIRECTS + 1):
        parts = checked(place)
        response = _request(parts, trusted, patience, headers)
        if response.status not in _MOVED:
            return _judged(response, url)
        place = _next_place(response, place)
    raise refused(url, f"it leads through more than {MAX_REDIRECTS} redirects")


def checked(url: str) -> SplitResult:
    """Return the parts of a URL that may be asked for."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise refused(url, "it is not a URL") from None
    if not is_usable:
        raise refused(url, "only http:// and https:// are read")
    if "@" in parts.netloc:
        raise refused(
            url, "it holds a user name or password, which would stand in the Dataset for all to read"
        )
    return parts


def shown_url(url: str) -> str:
    """Return a URL as it may stand in a message: without user, password, query and fragment."""
    place = url.partition("#")[0]
    path, asked, _ = place.partition("?")
    scheme, slashes, rest = path.partition("://")
    host, slash, below = rest.partition("/")
    text = ascii(f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{below}")[1:-1]
    return (text if len(text) <= 300 else f"{text[:300]}…") + ("?…" if asked else "")


def file_name(url: str) -> str:
    """Return what the file behind a URL is called: the last part of its path, else its host."""
    parts = checked(url)
    return unquote(parts.path.rstrip("/").rpartition("/")[2], errors="surrogateescape") or str(parts.hostname)


def refused(url: str, why: str, reason: Reason = Reason.URL_REFUSED) -> MoverFailure:
    """Return the failure of a URL that has to be changed, or what it names has."""
    return MoverFailure(
        reason, f"Could not read {shown_url(url)}: {why}. Correct the url of the Dataset's source."
    )


def unavailable(url: str, why: str, reason: Reason = Reason.URL_UNAVAILABLE) -> MoverFailure:
    """Return the failure of a URL that may be read later."""
    return MoverFailure(
        reason, f"Could not read {shown_url(url)}: {why}. It is tried again later; see the server."
    )


def _request(
    parts: SplitResult, trusted: ssl.SSLContext, patience: WebPatience, headers: Mapping[str, str]
) -> HTTPResponse:
    url = parts.geturl()
    connection = _connected(parts, trusted, patience)
    asked = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_PLAIN)
    try:
        connection.request("GET", asked, headers={"User-Agent": "towpath-mover", **headers})
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        connection.close()
        raise unavailable(url, f"the server breaks off ({_words(error)})") from error
    if connection.sock is not None:
        # The response goes on reading; with its end the connection ends.
        connection.sock.close()
    return response


def _connected(parts: SplitResult, trusted: ssl.SSLContext, patience: WebPatience) -> HTTPConnection:
    url, host = parts.geturl(), str(parts.hostname)
    timeout = patience.connect_timeout
    try:
        connection = (
            HTTPSConnection(host, parts.port, timeout=timeout, context=trusted)
            if parts.scheme == "https"
            else HTTPConnection(host, parts.port, timeout=timeout)
        )
        connection.connect()
    except (socket.gaierror, UnicodeError) as error:
        raise unavailable(url, "its host name is not known", Reason.ENDPOINT_NOT_FOUND) from error
    except ssl.SSLError as error:
        raise _untrusted(url, error) from error
    except HTTPException as error:
        raise refused(url, "it is not a URL") from error
    except OSError as error:
        why = f"nothing accepts connections there ({_words(error)})"
        raise unavailable(url, why, Reason.ENDPOINT_UNREACHABLE) from error
    connection.sock.settimeout(patience.read_timeout)
    return connection


def _untrusted(url: str, error: ssl.SSLError) -> MoverFailure:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted ({error.verify_message}). Name its CA in caConfigMapRef, or"
        message = f"Could not read {shown_url(url)}: {why} correct the url of the Dataset's source."
        return MoverFailure(Reason.CERTIFICATE_NOT_TRUSTED, message)
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return refused(url, "the server does not speak TLS", Reason.CERTIFICATE_NOT_TRUSTED)
    return unavailable(url, f"TLS breaks off ({_words(error)})")


def _next_place(response: HTTPResponse, place: str) -> str:
    target = response.headers.get("Location")
    response.close()
    if not target:
        raise refused(place, f"it answers {response.status} without saying where to go")
    try:
        following = urljoin(place, target)
    except ValueError:
        raise refused(place, "it leads to what is not a URL") from None
    if urlsplit(place).scheme == "https" and not following.lower().startswith("https:"):
        raise refused(place, f"it leads from https to {shown_url(following)}, where bytes are not protected")
    return following


def _judged(response: HTTPResponse, url: str) -> Answer:
    status = response.status
    if status in (200, 206, 304, 416):
        return Answer(response, _validators(response), *_extent(response, url))
    response.close()
    if status in _GONE:
        raise refused(url, f"it answers {status}, there is no such file", Reason.SOURCE_NOT_FOUND)
    if status in _FORBIDDEN:
        raise refused(url, f"it answers {status}: only what needs no login, or a signed URL, can be read")
    if status in _PASSING or status >= 500:
        raise unavailable(url, f"it goes on answering {status}")
    raise refused(url, f"it answers {status}")


def _validators(response: HTTPResponse) -> Validators:
    etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    if etag and not etag.startswith("W/"):
        return Validators(etag, modified, is_strong=True)
    return Validators(etag, modified, is_strong=_is_old(modified, response.headers.get("Date")))


def _is_old(modified: str | None, date: str | None) -> bool:
    """Whether a file had been left alone for a minute: a second change within one second would not show."""
    try:
        return bool(modified and date) and parsedate_to_datetime(str(date)) - parsedate_to_datetime(
            str(modified)
        ) >= timedelta(minutes=1)
    except (ValueError, TypeError):
        return False


def _extent(response: HTTPResponse, url: str) -> tuple[int | None, int]:
    """How large the whole file is, where that is said, and where the body begins in it."""
    if response.status != 206:
        return response.length, 0
    unit, _, extent = response.headers.get("Content-Range", "").partition(" ")
    span, _, size = extent.partition("/")
    start = span.partition("-")[0]
    if unit != "bytes" or not start.isdigit() or not size.isdigit():
        response.close()
        raise refused(url, "its server answers with a range that cannot be understood")
    return int(size), int(start)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error.strerror or type(error).__name__) if isinstance(error, OSError) else type(error).__name__
