"""`make pictures`: docs/images, from the same run that the tests look at."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from browser.chromium import Chromium, chromium
from cli.pictures import everything
from towpath.cli.server import make_server

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main() -> None:
    """Make all of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    server = make_server(everything, "token", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as browser:
        address = f"http://127.0.0.1:{server.server_address[1]}/token/"
        take(browser, address, "ui.png", 780)
        take(browser, f"{address}run/iris-2", "run.png", 1260)
        browser.dark(True)
        take(browser, f"{address}run/iris-2", "run-dark.png", 760)
    server.shutdown()


def take(browser: Chromium, address: str, name: str, height: int) -> None:
    """One picture of the top of a page."""
    browser.size(1180, height)
    browser.open(address)
    browser.picture(IMAGES / name)


main()
