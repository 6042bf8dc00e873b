"""The page about the SDK says what the code says, and every public name says something."""

from __future__ import annotations

import re

import towpath
from docs.sdk_reference import PAGE, page


def test_the_page_about_the_sdk_is_made_from_the_code() -> None:
    assert PAGE.read_text() == page(), "`make generate` writes it anew"


def test_every_public_name_and_method_is_described() -> None:
    written = page()

    assert re.findall(r"^## (\w+)$", written, re.MULTILINE) == towpath.__all__
    assert re.findall(r"^- `.*`: ?$", written, re.MULTILINE) == []
