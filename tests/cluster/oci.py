"""Writes an OCI archive of one layer, from a tar of a root folder or from a few files, or one of another archive and a
layer more. No image builder is needed for that, and the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_EPOCH = "1970-01-01T00:00:00Z"
_CHUNK = 1 << 20
_HISTORY = {"created": _EPOCH, "created_by": "towpath tests/cluster"}
_KIND = "application/vnd.oci.image"


@dataclass(frozen=True)
class Image:
    """What an image says about itself: its name and how its program is started."""

    name: str
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""


def write_program_image(image: Image, program: Path, archive: Path) -> Path:
    """An archive of an image that holds a single program, at /<its name>, and nothing else."""
    layer = archive.with_suffix(".layer.tar")
    with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo(program.name)
        entry.mode, entry.size = 0o755, program.stat().st_size
        with program.open("rb") as content:
            tar.addfile(entry, content)
    write_archive(image, layer, archive)
    layer.unlink()
    return archive


def write_archive(image: Image, layer: Path, archive: Path) -> None:
    """An OCI archive of one uncompressed layer; it appears under its name only when it is whole."""
    layer_digest = _digest_of_file(layer)
    config = _json(_config(image, layer_digest))
    manifest = _json(_manifest(config, layer_digest, layer.stat().st_size))
    unfinished = archive.with_name(archive.name + ".unfinished")
    with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
        _add_descriptions(tar, image.name, config, manifest)
        entry = tarfile.TarInfo(_blob_path(layer_digest))
        entry.size = layer.stat().st_size
        with layer.open("rb") as content:
            tar.addfile(entry, content)
    unfinished.rename(archive)


def write_derived_image(base: Path, name: str, files: Mapping[str, bytes], archive: Path) -> None:
    """An archive of another archive's image under a name of its own, with these files in a layer on top."""
    layer = _layer(files)
    with tarfile.open(base) as old, tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as new:
        descriptor = _read(old, "index.json")["manifests"][0]
        manifest = _read(old, _blob_path(descriptor["digest"]))
        config = _read(old, _blob_path(manifest["config"]["digest"]))
        for below in manifest["layers"]:
            entry = old.getmember(_blob_path(below["digest"]))
            new.addfile(entry, old.extractfile(entry))
        _add(new, _blob_path(_digest(layer)), layer)
        config["rootfs"]["diff_ids"].append(_digest(layer))
        config["history"] = [*config.get("history", []), _HISTORY]
        written = _json(config)
        manifest["layers"].append(_layer_descriptor(_digest(layer), len(layer)))
        manifest["config"] |= {"digest": _digest(written), "size": len(written)}
        _add_descriptions(new, name, written, _json(manifest))


def _layer(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, text in sorted(files.items()):
            _add(tar, name, text)
    return content.getvalue()


def _read(tar: tarfile.TarFile, name: str) -> dict[str, Any]:
    content = tar.extractfile(name)
    assert content is not None
    found: dict[str, Any] = json.load(content)
    return found


def _config(image: Image, layer_digest: str) -> dict[str, Any]:
    how = {
        "Entrypoint": list(image.entrypoint),
        "Cmd": list(image.command),
        "Env": [f"{name}={value}" for name, value in image.environment.items()],
        "User": image.user,
    }
    return {
        "created": _EPOCH,
        "architecture": "amd64",
        "os": "linux",
        "config": {name: value for name, value in how.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        "history": [_HISTORY],
    }


def _manifest(config: bytes, layer_digest: str, layer_size: int) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{_KIND}.manifest.v1+json",
        "config": {"mediaType": f"{_KIND}.config.v1+json", "digest": _digest(config), "size": len(config)},
        "layers": [_layer_descriptor(layer_digest, layer_size)],
    }


def _layer_descriptor(digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{_KIND}.layer.v1.tar", "digest": digest, "size": size}


def _index(name: str, manifest: bytes) -> dict[str, Any]:
    # Builders look for the first annotation, containerd for the second.
    names = {"org.opencontainers.image.ref.name": name, "io.containerd.image.name": name}
    descriptor = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": _digest(manifest),
        "size": len(manifest),
        "annotations": names,
    }
    return {"schemaVersion": 2, "manifests": [descriptor]}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _digest_of_file(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            total.update(chunk)
    return f"sha256:{total.hexdigest()}"


def _blob_path(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _add_descriptions(tar: tarfile.TarFile, name: str, config: bytes, manifest: bytes) -> None:
    _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
    _add(tar, "index.json", _json(_index(name, manifest)))
    for blob in (config, manifest):
        _add(tar, _blob_path(_digest(blob)), blob)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
