"""One run over two kinds of stores: files from Azure (here Azurite), results there and on S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.space import Space
from e2e.tenant import Tenant, condition, is_ready, step_of
from stores.places import Place
from stores.servers import azure, make_certificate, sas_token

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
def blobs(tenant: Tenant, this_machine: str, tmp_path: Path) -> Iterator[Place]:
    """A container behind TLS, with its Secret, its CA and its Datastore `blobs` in the tenant's namespace."""
    certificate = make_certificate(tmp_path, this_machine)
    with azure(tmp_path / "azurite", this_machine, certificate) as place:
        blobs = place.fresh()
        tenant.kubectl("create", "configmap", "blobs-ca", f"--from-file=ca.crt={certificate.ca}")
        token = f"--from-literal=AZURE_STORAGE_SAS_TOKEN={sas_token()}"
        tenant.kubectl("create", "secret", "generic", "blobs", token)
        entrance = {"caConfigMapRef": {"name": "blobs-ca"}, "credentialsSecretRef": {"name": "blobs"}}
        tenant.apply("Datastore", "blobs", {"azureBlob": {**blobs.location, **entrance}})
        yield blobs
        tenant.kubectl("delete", "datastores.towpath.dev/blobs", "datasets.towpath.dev/words")


def test_a_run_reads_from_azure_and_writes_there_and_to_s3(
    tenant: Tenant, blobs: Place, space: Space, default_store: str
) -> None:
    blobs.put("raw/1/a.txt", b"one")
    blobs.put("raw/b.txt", b"two")
    tenant.apply("Dataset", "words", {"sources": [{"path": "raw/**/*.txt", "datastore": "blobs"}]})
    ports = ["$(inputs.words.path)", "$(outputs.copy.path)", "$(outputs.count.path)"]
    shout = {
        "name": "shout",
        "command": ["python3", "-c", SHOUT, *ports],
        "inputs": [{"name": "words"}],
        "outputs": [{"name": "copy", "datastore": "blobs"}, {"name": "count"}],
    }
    again = {
        "name": "again",
        "command": ["python3", "-c", SHOUT, "$(inputs.copy.path)", *ports[1:]],
        "inputs": [{"name": "copy", "from": {"step": "shout", "output": "copy"}}],
        "outputs": [{"name": "copy"}, {"name": "count"}],
    }
    status = tenant.finish(tenant.start_steps(shout, again))
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    ready = condition(tenant.until("datastores", "blobs", is_ready), "Ready")
    assert "as the shared access signature of Secret 'blobs'" in ready["message"]
    assert [output["datastore"] for output in step_of(status, "shout")["outputs"]] == ["blobs", "default"]
    assert [blobs.get(key) for key in published(blobs.keys(), "shout", "copy")] == [b"ONE", b"TWO"]
    assert [space.get(key) for key in published(space.keys(), "again", "count")] == [b"2"]


def published(keys: list[str], step: str, output: str) -> list[str]:
    """The keys of an output's files."""
    return [key for key in keys if f"/{step}/" in key and f"/{output}/data" in key]
