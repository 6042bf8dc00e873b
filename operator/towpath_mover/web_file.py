"""A URL → the bytes of one state of what it names, also over cut connections: those of two states never mix.

A cut transfer is resumed by a range where the server has ranges and says which state it holds. Where it has not, the
file is read again from its start, and what was taken already must come again, by its SHA-256.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from hashlib import sha256
from http.client import HTTPException

from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.web import Answer, Validators, WebPatience, ask, refused, unavailable

MAX_BYTES = 1 << 40
PIECE = 1 << 20
# Slower than this is no transfer: so many bytes in the time that a single answer may take.
_SLOWEST = 64 << 10


class WebFile:
    """What a URL gave when it was opened; its bytes are taken once."""

    def __init__(self, url: str, trusted: ssl.SSLContext, patience: WebPatience, answer: Answer) -> None:
        self.validators = answer.validators
        self.size = answer.size
        self._url = url
        self._trusted = trusted
        self._patience = patience
        self._answer: Answer | None = answer
        self._taken = 0
        self._digest = sha256()

    @property
    def taken(self) -> int:
        """How many bytes were taken."""
        return self._taken

    @property
    def sha256(self) -> str:
        """The SHA-256 (hex) of what was taken."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the transfer, wherever it is."""
        if self._answer is not None:
            self._answer.response.close()
            self._answer = None

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes in order."""
        try:
            self._check()
            yield from self._patiently()
        finally:
            self.close()

    def _patiently(self) -> Iterator[bytes]:
        tries, reached = 0, 0
        while True:
            try:
                yield from self._body()
            except MoverFailure as failed:
                # Progress earns new patience.
                tries = 1 if self._taken - reached >= PIECE else tries + 1
                reached = self._taken
                is_lasting = failed.exit is not Exit.TRY_AGAIN or failed.reason is Reason.URL_CHANGED
                if is_lasting or tries >= self._patience.tries:
                    raise
                self.close()
                time.sleep(self._patience.first_pause * 2 ** (tries - 1))
            else:
                return

    def _check(self) -> None:
        """Refuse what is too large, or has no end that could be known."""
        self._check_size(self.size or 0)
        if self.size is None and self._answer and not self._answer.response.chunked:
            why = "its server says neither a length nor chunks, so a cut could not be seen"
            raise refused(self._url, why)

    def _body(self) -> Iterator[bytes]:
        if self._answer is None:
            self._answer = self._resumed()
        skipped = self._taken if self._answer.start == 0 else 0
        again = sha256()
        for piece in self._raw(self._answer):
            repeated, new = piece[:skipped], piece[skipped:]
            again.update(repeated)
            skipped -= len(repeated)
            if repeated and not skipped and again.digest() != self._digest.digest():
                raise self._changed("the bytes that were taken already are others now")
            if new:
                self._take(new)
                yield new
        if skipped or self.size not in (None, self._taken):
            raise unavailable(self._url, f"it was cut after {self._taken} of {self.size or 'its'} bytes")

    def _take(self, piece: bytes) -> None:
        self._taken += len(piece)
        self._check_size(self._taken)
        self._digest.update(piece)

    def _resumed(self) -> Answer:
        before = self.validators
        headers = {"Accept-Encoding": "identity"}
        condition = before.etag if before.etag and not before.etag.startswith("W/") else before.last_modified
        if before.is_strong and condition and self._taken:
            headers |= {"Range": f"bytes={self._taken}-", "If-Range": condition}
        answer = ask(self._url, self._trusted, self._patience, headers)
        # From here on it is closed with the file.
        self._answer = answer
        if answer.status == 416 or answer.start not in (0, self._taken):
            raise self._changed("its server does not have the range that is missing")
        if answer.validators[:2] != before[:2] or answer.size != self.size:
            raise self._changed("its server says that it is another file now")
        return answer

    def _raw(self, answer: Answer) -> Iterator[bytes]:
        since, counted = time.monotonic(), 0
        while piece := self._read(answer):
            counted += len(piece)
            if counted >= _SLOWEST:
                since, counted = time.monotonic(), 0
            elif time.monotonic() - since > self._patience.read_timeout:
                raise unavailable(self._url, f"fewer than {_SLOWEST} bytes come in a minute")
            yield piece

    def _read(self, answer: Answer) -> bytes:
        try:
            # Whatever has come: a full piece could take for ever.
            return answer.response.read1(PIECE)
        except (OSError, HTTPException) as error:
            what = "nothing comes any more" if isinstance(error, TimeoutError) else "the connection was cut"
            raise unavailable(self._url, f"{what} after {self._taken} bytes") from error

    def _changed(self, why: str) -> MoverFailure:
        return unavailable(self._url, f"{why}, so what was taken is not used", Reason.URL_CHANGED)

    def _check_size(self, size: int) -> None:
        if size > MAX_BYTES:
            raise refused(self._url, f"it has more than {MAX_BYTES} bytes")


def open_web_file(
    url: str,
    trusted: ssl.SSLContext,
    known: Validators | None = None,
    patience: WebPatience = WebPatience(),  # noqa: B008
) -> WebFile | None:
    """Return what a URL gives now, or None if that is still what is `known`."""
    headers = {"Accept-Encoding": "identity"}
    if known and known.etag:
        headers["If-None-Match"] = known.etag
    elif known and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    answer = _patiently(url, trusted, patience, headers)
    # Not every server heeds a condition.
    is_same = known is not None and known.is_strong and known[:2] == answer.validators[:2]
    if known and (answer.status == 304 or is_same):
        answer.response.close()
        return None
    if answer.status != 200:
        answer.response.close()
        raise refused(url, f"it answers {answer.status} to a request for the whole file")
    return WebFile(url, trusted, patience, answer)


def _patiently(url: str, trusted: ssl.SSLContext, patience: WebPatience, headers: dict[str, str]) -> Answer:
    for attempt in range(1, patience.tries + 1):
        try:
            return ask(url, trusted, patience, headers)
        except MoverFailure as failed:
            if failed.exit is not Exit.TRY_AGAIN or attempt == patience.tries:
                raise
        time.sleep(patience.first_pause * 2 ** (attempt - 1))
    raise AssertionError("a server is asked at least once")
