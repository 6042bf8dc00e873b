"""A zip behind a URL becomes a dataset: copied once, counted by a step, looked at again; what fails says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.tenant import Tenant, condition, has_reason, is_ready
from mover.certificates import certified
from mover.hostile_archives import a_zip
from mover.web_server import Page, WebServer, web_server

pytestmark = pytest.mark.story

PHOTOS = [(f"{kind}/{number}.jpg", b"photo") for kind in ("cats", "dogs") for number in range(20)]
COUNT = "import pathlib, sys; print('files:', sum(p.is_file() for p in pathlib.Path(sys.argv[1]).rglob('*')))"


@pytest.fixture
def server(this_machine: str, tenant: Tenant, tmp_path: Path) -> Iterator[WebServer]:
    """A web server with a certificate of its own CA, which a ConfigMap of the tenant holds, where pods reach it."""
    ca = tmp_path / "ca.crt"
    with web_server(tls=certified(ca, tmp_path / "key", this_machine), host=this_machine) as running:
        tenant.hold("ConfigMap", "web-ca", **{"ca.crt": ca.read_text()})
        yield running
        tenant.delete("configmaps", "web-ca")


def test_the_photos_of_a_zip_behind_a_url_are_what_a_step_counts(
    tenant: Tenant, server: WebServer, default_store: str
) -> None:
    server.pages["/pets.zip"] = Page(a_zip([*PHOTOS, ("readme.txt", b"no photo")]))
    ca = {"caConfigMapRef": {"name": "web-ca"}}
    source = {"url": server.url("/pets.zip"), "archive": {"type": "Zip", "entryGlob": "**/*.jpg"}, **ca}
    tenant.apply("Dataset", "pets-zip", {"sources": [source]})
    tenant.apply("Dataset", "no-zip", {"sources": [{**source, "archive": {"type": "TarGz"}}]})
    tenant.apply("Dataset", "no-file", {"sources": [{"url": server.url("/missing.csv"), **ca}]})
    tenant.apply("Dataset", "no-trust", {"sources": [{"url": server.url("/pets.zip")}]})

    assert tenant.until("datasets", "pets-zip", is_ready)["files"] == 40
    step = {
        "name": "count",
        "command": ["python3", "-c", COUNT, "$(inputs.pets_zip.path)"],
        "inputs": [{"name": "pets_zip"}],
    }
    run = tenant.start_steps(step)
    for name, reason in (
        ("no-zip", "ArchiveInvalid"),
        ("no-file", "SourceNotFound"),
        ("no-trust", "CertificateNotTrusted"),
    ):
        status = tenant.until("datasets", name, has_reason("Ready", reason))
        assert server.url("/") in condition(status, "Ready")["message"]
    assert tenant.finish(run)["state"] == "Succeeded"
    assert "files: 40" in tenant.log(run, "count")

    tenant.annotate("datasets", "pets-zip", **{"towpath.dev/requested-at": "again"})
    again = tenant.until("datasets", "pets-zip", lambda seen: seen.get("requestedAt") == "again")
    assert (again["latestVersion"], 304 in server.answered) == (1, True)
    tenant.delete("datasets", "pets-zip", "no-zip", "no-file", "no-trust")
