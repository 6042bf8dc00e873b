"""The article's twelve snippets, end to end, on a cluster: by a user with the role `edit`, from a laptop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.space import Space, fresh_space
from cluster.towpath_image import image_name
from e2e.tenant import Tenant, is_ready
from mover.web_server import Page, WebServer, web_server
from remote.users import with_cluster_role
from sdk.article import ZIP, Article
from sdk.article_checks import tell
from towpath import Workspace

pytestmark = pytest.mark.story


def target() -> str:
    """The article's compute target: Kubernetes wants an image there, so it is the installation's."""
    container = {"name": "step", "image": image_name(), "resources": {"requests": {"cpu": "10m"}}}
    metadata = {"name": "cpu-cluster"}
    template = {"spec": {"containers": [container]}}
    return json.dumps({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template})


@pytest.fixture
def server(this_machine: str) -> Iterator[WebServer]:
    """The public URL of the article, where pods reach it."""
    with web_server(host=this_machine) as running:
        running.pages["/cats-and-dogs.zip"] = Page(ZIP)
        yield running


@pytest.fixture
def workspace(
    tenant: Tenant, space: Space, default_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """The workspace of a user with the role `edit`, found by its file, with the article's datastores."""
    user = with_cluster_role(tenant.tools.kubectl, tenant.namespace, "edit", tmp_path / "kubeconfig")
    tenant.kubectl("apply", "-f", "-", stdin=target())
    with fresh_space(space.s3) as training, fresh_space(space.s3) as archive:
        for name, place in (("training-data", training), ("my-adlsgen2", archive)):
            tenant.apply("Datastore", name, tenant.s3_datastore(place))
            tenant.until("datastores", name, is_ready)
        (tmp_path / "config.json").write_text(
            json.dumps({"namespace": tenant.namespace, "kubeconfig": str(user)})
        )
        monkeypatch.chdir(tmp_path)
        yield Workspace.from_config()


def test_the_article_runs_on_a_cluster(
    workspace: Workspace, server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    monkeypatch.chdir(scripts)
    tell(Article(workspace, scripts, server.url("/cats-and-dogs.zip"), "cpu-cluster"))
