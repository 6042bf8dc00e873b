"""One browser for all tests of pages; without one they are skipped, and say what installs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browser.chromium import BROWSER, DRIVER, Chromium, chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A real Chromium."""
    if not (BROWSER and DRIVER):
        pytest.skip("there is no Chromium here: `make browser` installs Debian's, as root")
    with chromium(tmp_path_factory.mktemp("chromium")) as found:
        yield found
