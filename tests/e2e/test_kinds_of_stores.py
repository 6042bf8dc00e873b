"""One run over three kinds of stores: files from Azure (here Azurite) are handed on over Google (a stand-in) to S3."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cluster.space import Space
from e2e.tenant import Tenant, condition, is_ready, step_of
from stores.places import Place
from stores.servers import Certificate, azure, gcs, make_certificate, sas_token

pytestmark = pytest.mark.story

# A folder is copied in capitals; how many files it had goes elsewhere.
SHOUT = """
import pathlib, sys
source, copy, count = map(pathlib.Path, sys.argv[1:])
files = sorted(source.rglob("*.txt"))
copy.mkdir()
for file in files:
    (copy / file.name).write_text(file.read_text().upper())
count.write_text(str(len(files)))
"""


@pytest.fixture
def certificate(tenant: Tenant, this_machine: str, tmp_path: Path) -> Certificate:
    """What both servers show, and the tenant's ConfigMap `stores-ca` trusts."""
    certificate = make_certificate(tmp_path, this_machine)
    tenant.hold("ConfigMap", "stores-ca", **{"ca.crt": certificate.ca.read_text()})
    return certificate


@pytest.fixture
def blobs(tenant: Tenant, this_machine: str, certificate: Certificate, tmp_path: Path) -> Iterator[Place]:
    """The Datastore `blobs`: a container that is entered by a shared access signature."""
    with azure(tmp_path / "azurite", this_machine, certificate) as place:
        secret = {"AZURE_STORAGE_SAS_TOKEN": sas_token()}
        yield from named(tenant, "blobs", place.fresh(), secret)


@pytest.fixture
def archive(tenant: Tenant, this_machine: str, certificate: Certificate) -> Iterator[Place]:
    """The Datastore `archive`: a bucket that is entered by a service account's key."""
    with gcs(certificate, this_machine) as place:
        yield from named(tenant, "archive", place.fresh(), place.secret or {})


def named(tenant: Tenant, name: str, place: Place, secret: Mapping[str, str]) -> Iterator[Place]:
    tenant.hold("Secret", name, **secret)
    entrance = {"caConfigMapRef": {"name": "stores-ca"}, "credentialsSecretRef": {"name": name}}
    tenant.apply("Datastore", name, {place.kind: {**place.location, **entrance}})
    yield place
    tenant.delete("datastores", name)


def test_a_run_reads_from_azure_hands_on_over_google_and_ends_on_s3(
    tenant: Tenant, blobs: Place, archive: Place, space: Space, default_store: str
) -> None:
    blobs.put("raw/1/a.txt", b"one")
    blobs.put("raw/b.txt", b"two")
    tenant.apply("Dataset", "words", {"sources": [{"path": "raw/**/*.txt", "datastore": "blobs"}]})
    written = ["$(outputs.copy.path)", "$(outputs.count.path)"]
    shout = {
        "name": "shout",
        "command": ["python3", "-c", SHOUT, "$(inputs.words.path)", *written],
        "inputs": [{"name": "words"}],
        "outputs": [{"name": "copy", "datastore": "archive"}, {"name": "count", "datastore": "blobs"}],
    }
    again = {
        "name": "again",
        "command": ["python3", "-c", SHOUT, "$(inputs.copy.path)", *written],
        "inputs": [{"name": "copy", "from": {"step": "shout", "output": "copy"}}],
        "outputs": [{"name": "copy"}, {"name": "count"}],
    }
    status = tenant.finish(tenant.start_steps(shout, again))
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    for name, identity in (("blobs", "the shared access signature"), ("archive", "service account")):
        ready = condition(tenant.until("datastores", name, is_ready), "Ready")
        assert f"as {identity}" in ready["message"]
    assert [output["datastore"] for output in step_of(status, "shout")["outputs"]] == ["archive", "blobs"]
    assert [archive.get(key) for key in published(archive.keys(), "shout", "copy/packs")] == [b"ONETWO"]
    assert [space.get(key) for key in published(space.keys(), "again", "copy/packs")] == [b"ONETWO"]
    assert [blobs.get(key) for key in published(blobs.keys(), "shout", "count/data")] == [b"2"]
    assert [space.get(key) for key in published(space.keys(), "again", "count/data")] == [b"2"]
    tenant.delete("datasets", "words")


def published(keys: list[str], step: str, folder: str) -> list[str]:
    """The keys of an output's files or packs."""
    return [key for key in keys if f"/{step}/" in key and f"/{folder}/" in key]
