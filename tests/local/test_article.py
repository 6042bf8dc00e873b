"""The article's twelve snippets, end to end, without a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.desk import Desk
from mover.web_server import Page, WebServer, web_server
from sdk.article import ZIP, Article
from sdk.article_checks import tell
from towpath import Workspace
from towpath.local.datastores import apply_folder

pytestmark = pytest.mark.story


@pytest.fixture
def server() -> Iterator[WebServer]:
    """The public URL of the article, on this machine."""
    with web_server() as running:
        running.pages["/cats-and-dogs.zip"] = Page(ZIP)
        yield running


def test_the_article_runs_on_a_laptop(
    desk: Desk, server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    monkeypatch.chdir(scripts)
    for name in ("training-data", "my-adlsgen2"):
        (tmp_path / name).mkdir()
        apply_folder(desk.backend, name, tmp_path / name)
    workspace = Workspace.local(desk.folder)
    tell(Article(workspace, scripts, server.url("/cats-and-dogs.zip"), "cpu-cluster"))
