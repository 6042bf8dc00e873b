"""OCI archives as we write them: whole, true to their digests, and the same for the same content."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from cluster.oci import Image, write_derived_image, write_program_image

_IMAGE = Image("localhost/some/thing:1", entrypoint=("/program",), environment={"A": "b"}, user="7:7")


def _archive(folder: Path) -> Path:
    program = folder / "program"
    program.write_bytes(b"\x7fELF not really")
    return write_program_image(_IMAGE, program, folder / "image.oci.tar")


def _members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {entry.name: content.read() for entry in tar if (content := tar.extractfile(entry))}


def _blob(members: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    content = members["blobs/" + descriptor["digest"].replace(":", "/")]
    assert len(content) == descriptor["size"]
    return content


def test_every_blob_is_stored_by_its_own_digest(tmp_path: Path) -> None:
    blobs = {name: content for name, content in _members(_archive(tmp_path)).items() if "/" in name}
    assert len(blobs) == 3
    for name, content in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def test_an_index_leads_by_the_name_to_how_the_program_is_started(tmp_path: Path) -> None:
    members = _members(_archive(tmp_path))
    (descriptor,) = json.loads(members["index.json"])["manifests"]
    assert descriptor["annotations"]["io.containerd.image.name"] == "localhost/some/thing:1"
    manifest = json.loads(_blob(members, descriptor))
    config = json.loads(_blob(members, manifest["config"]))
    assert config["config"] == {"Entrypoint": ["/program"], "Env": ["A=b"], "User": "7:7"}
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]


def test_the_layer_holds_the_program_and_nothing_else(tmp_path: Path) -> None:
    members = _members(_archive(tmp_path))
    manifest = json.loads(_blob(members, json.loads(members["index.json"])["manifests"][0]))
    (tmp_path / "layer.tar").write_bytes(_blob(members, manifest["layers"][0]))
    with tarfile.open(tmp_path / "layer.tar") as layer:
        assert [(entry.name, entry.mode) for entry in layer] == [("program", 0o755)]


def test_the_same_program_gives_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    first, second = (_archive(folder).read_bytes() for folder in folders)
    assert first == second


def test_a_derived_image_has_a_name_of_its_own_and_a_layer_more(tmp_path: Path) -> None:
    base, derived = _archive(tmp_path), tmp_path / "derived.oci.tar"
    write_derived_image(base, "localhost/some/thing:2", {"opt/mark": b"new"}, derived)

    before, members = _members(base), _members(derived)
    (descriptor,) = json.loads(members["index.json"])["manifests"]
    assert descriptor["annotations"]["io.containerd.image.name"] == "localhost/some/thing:2"
    manifest = json.loads(_blob(members, descriptor))
    config = json.loads(_blob(members, manifest["config"]))
    program, mark = (_blob(members, layer) for layer in manifest["layers"])
    assert program in before.values()
    assert config["config"]["Entrypoint"] == ["/program"]
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    with tarfile.open(fileobj=io.BytesIO(mark)) as layer:
        assert [(entry.name, entry.mode) for entry in layer] == [("opt/mark", 0o644)]
