"""Reading a URL from real servers on loopback: whole, resumed, started over, or refused by name."""

from __future__ import annotations

import os
import ssl
from hashlib import sha256
from pathlib import Path

import pytest

from mover.certificates import certified
from mover.web_server import Page, WebServer, web_server
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.web import Validators, WebPatience, file_name, shown_url, trust
from towpath_mover.web_file import WebFile, open_web_file

CONTENT = os.urandom(3 << 20)
HASTE = WebPatience(connect_timeout=5, read_timeout=5, tries=3, first_pause=0.01)


@pytest.fixture(scope="module")
def public() -> ssl.SSLContext:
    return trust(None)


def opened(url: str, trusted: ssl.SSLContext, known: Validators | None = None) -> WebFile:
    file = open_web_file(url, trusted, known, HASTE)
    assert file is not None
    return file


def read(server: WebServer, path: str, trusted: ssl.SSLContext) -> bytes:
    return b"".join(opened(server.url(path), trusted).pieces())


def failure(url: str, trusted: ssl.SSLContext) -> MoverFailure:
    with pytest.raises(MoverFailure) as raised:
        b"".join(opened(url, trusted).pieces())
    return raised.value


@pytest.mark.parametrize("page", [Page(CONTENT), Page(CONTENT, chunked=True), Page(b"")])
def test_a_file_comes_whole_with_its_size_and_digest(public: ssl.SSLContext, page: Page) -> None:
    with web_server({"/a": page}) as server:
        file = opened(server.url("/a"), public)
        assert b"".join(file.pieces()) == page.content
    assert (file.taken, file.sha256) == (len(page.content), sha256(page.content).hexdigest())


@pytest.mark.parametrize(
    ("etag", "modified", "answers"),
    [
        ("hash", None, [200, 206, 206]),
        (None, "Tue, 14 Nov 2023 22:13:20 GMT", [200, 206, 206]),
        ('W/"weak"', None, [200, 200, 200]),
        # If-Range takes no weak ETag: by the time it is resumed all the same.
        ('W/"weak"', "Tue, 14 Nov 2023 22:13:20 GMT", [200, 206, 206]),
        (None, None, [200, 200, 200]),
    ],
)
def test_a_cut_transfer_is_resumed_where_the_state_can_be_told(
    public: ssl.SSLContext, etag: str | None, modified: str | None, answers: list[int]
) -> None:
    page = Page(
        CONTENT, etag=etag, modified=modified, cuts=[1 << 20, 100_000 if answers[1] == 206 else 2 << 20]
    )
    with web_server({"/a": page}) as server:
        assert read(server, "/a", public) == CONTENT
        assert server.answered == answers


@pytest.mark.parametrize("chunked", [False, True])
def test_a_server_without_ranges_is_started_over_and_what_came_already_is_compared(
    public: ssl.SSLContext, chunked: bool
) -> None:
    page = Page(CONTENT, ranges=False, chunked=chunked, cuts=[1_500_000, 2_000_000])
    with web_server({"/a": page}) as server:
        file = opened(server.url("/a"), public)
        assert b"".join(file.pieces()) == CONTENT
    assert file.sha256 == sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(
    ("etag", "ranges"),
    [("hash", True), ("hash", False), ('"always the same"', False), (None, True), (None, False)],
)
def test_bytes_of_two_states_never_mix(public: ssl.SSLContext, etag: str | None, ranges: bool) -> None:
    other = CONTENT[:1000] + b"X" + CONTENT[1001:]
    page = Page(CONTENT, etag=etag, modified=None, ranges=ranges, cuts=[1 << 20], replacement=other)
    with web_server({"/a": page}) as server:
        failed = failure(server.url("/a"), public)
    assert failed.reason is Reason.URL_CHANGED


def test_a_change_behind_what_was_taken_shows_by_the_state(public: ssl.SSLContext) -> None:
    for ranges in (True, False):
        page = Page(CONTENT, ranges=ranges, cuts=[1 << 20], replacement=CONTENT[:-1] + b"X")
        with web_server({"/a": page}) as server:
            assert failure(server.url("/a"), public).reason is Reason.URL_CHANGED


def test_a_transfer_that_is_cut_again_and_again_without_progress_ends(public: ssl.SSLContext) -> None:
    with web_server({"/a": Page(CONTENT, cuts=[0] * 99)}) as server:
        failed = failure(server.url("/a"), public)
        assert len(server.answered) == HASTE.tries
    assert failed.reason is Reason.URL_UNAVAILABLE
    assert "cut after 0 of" in failed.message


def test_progress_earns_new_patience(public: ssl.SSLContext) -> None:
    content = os.urandom(8 << 20)
    with web_server({"/a": Page(content, cuts=[1 << 20] * 7)}) as server:
        assert read(server, "/a", public) == content


def test_a_server_that_trickles_is_given_up(public: ssl.SSLContext) -> None:
    hasty = HASTE._replace(read_timeout=0.3, tries=2)
    with web_server({"/a": Page(b"x" * 100_000, pause=0.02)}) as server:
        file = open_web_file(server.url("/a"), public, None, hasty)
        assert file is not None
        with pytest.raises(MoverFailure, match="fewer than") as raised:
            b"".join(file.pieces())
    assert raised.value.reason is Reason.URL_UNAVAILABLE


def test_what_is_unchanged_is_not_sent_again(public: ssl.SSLContext) -> None:
    with web_server({"/a": Page(CONTENT), "/b": Page(CONTENT, etag=None), "/c": Page(CONTENT)}) as server:
        for path, status in (("/a", 304), ("/b", 304)):
            known = opened(server.url(path), public).validators
            assert open_web_file(server.url(path), public, known, HASTE) is None
            assert server.answered[-1] == status
        server.pages["/c"].statuses = [200, 200]
        known = opened(server.url("/c"), public).validators
        # One that does not heed the condition shows by its ETag that it is the same.
        assert open_web_file(server.url("/c"), public, known, HASTE) is None
        server.pages["/a"].content = b"other"
        assert read(server, "/a", public) == b"other"


def test_redirects_are_followed_within_bounds(public: ssl.SSLContext) -> None:
    pages = {f"/{number}": Page(location=f"/{number + 1}") for number in range(8)} | {"/5": Page(b"there")}
    with web_server(pages) as server:
        assert read(server, "/0", public) == b"there"
        server.pages["/5"] = Page(location="/6")
        failed = failure(server.url("/0"), public)
    assert failed.reason is Reason.URL_REFUSED
    assert "5 redirects" in failed.message


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://host/a", "gopher://x", "http://user:secret@127.0.0.1/", "//[", ""]
)
def test_a_redirect_to_something_else_is_refused(public: ssl.SSLContext, target: str) -> None:
    with web_server({"/a": Page(statuses=[302], location=target or None)}) as server:
        failed = failure(server.url("/a"), public)
    assert failed.reason is Reason.URL_REFUSED
    assert "secret" not in failed.message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "only http"),
        ("http://user:secret@127.0.0.1/a", "user name or password"),
        ("http://127.0.0.1:port/", "not a URL"),
        ("http://127.0.0.1:99999/", "not a URL"),
        ("http:///a", "only http"),
    ],
)
def test_a_url_that_may_not_be_asked_for_is_refused(public: ssl.SSLContext, url: str, words: str) -> None:
    failed = failure(url, public)
    assert failed.reason is Reason.URL_REFUSED
    assert words in failed.message
    assert "secret" not in failed.message


@pytest.mark.parametrize(
    ("status", "reason", "asked"),
    [
        (404, Reason.SOURCE_NOT_FOUND, 1),
        (410, Reason.SOURCE_NOT_FOUND, 1),
        (401, Reason.URL_REFUSED, 1),
        (403, Reason.URL_REFUSED, 1),
        (400, Reason.URL_REFUSED, 1),
        (204, Reason.URL_REFUSED, 1),
        (429, Reason.URL_UNAVAILABLE, 3),
        (500, Reason.URL_UNAVAILABLE, 3),
        (503, Reason.URL_UNAVAILABLE, 3),
    ],
)
def test_an_answer_without_the_file_has_its_reason(
    public: ssl.SSLContext, status: int, reason: Reason, asked: int
) -> None:
    with web_server({"/a": Page(b"", statuses=[status] * 9)}) as server:
        failed = failure(server.url("/a?sig=secret"), public)
        assert len(server.answered) == asked
    assert (failed.reason, str(status) in failed.message) == (reason, True)
    assert "secret" not in failed.message


def test_a_server_that_comes_back_is_read(public: ssl.SSLContext) -> None:
    with web_server({"/a": Page(CONTENT, statuses=[503, 429])}) as server:
        assert read(server, "/a", public) == CONTENT


def test_a_file_whose_end_cannot_be_known_is_refused(public: ssl.SSLContext) -> None:
    with web_server({"/a": Page(CONTENT, lengthless=True)}) as server:
        assert "a cut could not be seen" in failure(server.url("/a"), public).message


def test_who_is_not_there_has_a_reason(public: ssl.SSLContext) -> None:
    assert failure("http://no-such-host.invalid/a", public).reason is Reason.ENDPOINT_NOT_FOUND
    assert failure("http://127.0.0.1:1/a", public).reason is Reason.ENDPOINT_UNREACHABLE


def test_a_private_ca_is_trusted_where_it_is_named_and_nowhere_else(
    public: ssl.SSLContext, tmp_path: Path
) -> None:
    tls = certified(tmp_path / "ca.crt", tmp_path / "key")
    with web_server({"/a": Page(CONTENT, cuts=[1 << 20])}, tls) as server:
        refused = failure(server.url("/a"), public)
        assert refused.reason is Reason.CERTIFICATE_NOT_TRUSTED
        assert "caConfigMapRef" in refused.message
        assert read(server, "/a", trust(tmp_path / "ca.crt")) == CONTENT


def test_https_never_leads_to_http_and_does_not_pass_for_it(public: ssl.SSLContext, tmp_path: Path) -> None:
    trusted = certified(tmp_path / "ca.crt", tmp_path / "key")
    with web_server({"/a": Page(b"x")}) as plain:
        with web_server({"/a": Page(location=plain.url("/a"))}, trusted) as secure:
            failed = failure(secure.url("/a"), trust(tmp_path / "ca.crt"))
        assert (failed.reason, "not protected" in failed.message) == (Reason.URL_REFUSED, True)
        spoken = failure(plain.url("/a").replace("http:", "https:"), public)
    assert spoken.reason is Reason.CERTIFICATE_NOT_TRUSTED


@pytest.mark.parametrize(
    ("url", "name", "shown"),
    [
        ("https://h/a/b.zip", "b.zip", "https://h/a/b.zip"),
        ("https://h/b%20c.zip?sig=secret#x", "b c.zip", "https://h/b%20c.zip?…"),
        ("https://h/folder/", "folder", "https://h/folder/"),
        ("https://h", "h", "https://h"),
        ("http://größe/日.csv", "日.csv", "http://gr\\xf6\\xdfe/\\u65e5.csv"),
    ],
)
def test_a_url_has_a_file_name_and_words_for_messages(url: str, name: str, shown: str) -> None:
    assert (file_name(url), shown_url(url)) == (name, shown)
