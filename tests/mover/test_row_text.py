"""Text of rows gives back the bytes that it was decoded from; bytes that are no text are named by line and column."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.api.sources import Encoding
from towpath_mover.row_errors import RowError
from towpath_mover.row_text import ENCODINGS, open_text


def pieces_of(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


def test_every_encoding_of_the_api_can_be_read() -> None:
    assert set(ENCODINGS) == {encoding.value for encoding in Encoding}


@given(st.sampled_from(ENCODINGS), st.binary(max_size=60), st.integers(1, 20))
def test_text_gives_back_the_bytes_that_it_came_from(encoding: str, content: bytes, size: int) -> None:
    text = open_text(pieces_of(content, size), encoding)
    try:
        pieces = list(text.pieces)
    except RowError as error:
        assert error.what.endswith("correct the file, or format.csv.encoding")  # noqa: PT017
    else:
        assert text.mark + text.encode("".join(pieces)) == content


@given(
    st.sampled_from(
        [
            ("utf8", b"", "utf-8"),
            ("utf8bom", codecs.BOM_UTF8, "utf-8"),
            ("utf8", codecs.BOM_UTF8, "utf-8"),
            ("utf16", codecs.BOM_UTF16_LE, "utf-16-le"),
            ("utf16", codecs.BOM_UTF16_BE, "utf-16-be"),
            ("utf16", b"", "utf-16-le"),
            ("utf32", codecs.BOM_UTF32_LE, "utf-32-le"),
            ("utf32", codecs.BOM_UTF32_BE, "utf-32-be"),
        ]
    ),
    st.text().filter(lambda text: not text.startswith("\ufeff")),
    st.integers(1, 9),
)
def test_text_is_read_as_python_reads_it(kind: tuple[str, bytes, str], text: str, size: int) -> None:
    encoding, mark, codec = kind
    opened = open_text(pieces_of(mark + text.encode(codec), size), encoding)
    assert (opened.mark, "".join(opened.pieces)) == (mark, text)


@pytest.mark.parametrize(
    ("encoding", "content", "line", "column"),
    [
        ("utf8", "é,b\n1,é".encode() + b"\xff\n", 2, 4),
        ("ascii", b"a\nb\xe9", 2, 2),
        ("windows1252", b"a\x81", 1, 2),
        ("utf16", "a\nb".encode("utf-16-le") + b"\x00\xd8\x00\x00", 2, 2),
        ("utf16", b"a\x00\n\x00b", 2, 1),
    ],
)
def test_bytes_that_are_no_text_are_named(encoding: str, content: bytes, line: int, column: int) -> None:
    for size in (1, 3, 100):
        with pytest.raises(RowError) as error:
            list(open_text(pieces_of(content, size), encoding).pieces)
        assert (error.value.line, error.value.column) == (line, column)
        assert encoding in error.value.what
