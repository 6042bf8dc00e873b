"""`s3://bucket/prefix` and the like → a Datastore, and the Secret with its credentials. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from towpath.backend import Kind, Manifest
from towpath.errors import UserErrorException
from towpath.flow import names

_SCHEMES = "s3://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX, gs://BUCKET/PREFIX or claim://CLAIM/FOLDER"
# The keys of each kind's Secret, by how they may be given: the first that is there whole counts.
_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "s3": (
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ),
    "azureBlob": (
        ("AZURE_STORAGE_ACCOUNT_KEY",),
        ("AZURE_STORAGE_SAS_TOKEN",),
        ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"),
    ),
    "gcs": (("GOOGLE_SERVICE_ACCOUNT_KEY",),),
}


@dataclass(frozen=True)
class NewDatastore:
    """A datastore of one kind, at a place."""

    name: str
    kind: str
    location: Mapping[str, Any]

    def manifest(self, secret: str | None, read_only: bool) -> Manifest:
        """The Datastore."""
        location = dict(self.location) | ({"credentialsSecretRef": {"name": secret}} if secret else {})
        spec: dict[str, Any] = {self.kind: location} | ({"readOnly": True} if read_only else {})
        return _object(names.API_VERSION, Kind.DATASTORE, self.name) | {"spec": spec}


def datastore_from(given: str, url: str, options: Mapping[str, str]) -> NewDatastore:
    """The datastore at a URL; UserErrorException says what is missing in it."""
    scheme, separator, rest = url.partition("://")
    parts = [part for part in rest.split("/") if part]
    places = {"s3": _bucket, "gs": _bucket, "az": _container, "claim": _claim}
    if not separator or scheme not in places or not parts:
        raise UserErrorException(f"{url!r} is no place of a datastore: write {_SCHEMES}.")
    kind = {"s3": "s3", "gs": "gcs", "az": "azureBlob", "claim": "persistentVolumeClaim"}[scheme]
    wrong = options.keys() - {"s3": {"endpoint", "region"}, "claim": set()}.get(scheme, {"endpoint"})
    if wrong:
        raise UserErrorException(f"--{sorted(wrong)[0]} is not for {scheme}://.")
    return NewDatastore(names.object_name(given), kind, places[scheme](url, parts) | dict(options))


def keys_from(environ: Mapping[str, str], datastore: NewDatastore, secret: str) -> Manifest:
    """The Secret with what this machine's variables hold for this kind of store."""
    for keys in _KEYS.get(datastore.kind, ()):
        if all(environ.get(key) for key in keys):
            made = _object("v1", Kind.SECRET, secret)
            return made | {"type": "Opaque", "stringData": {key: environ[key] for key in keys}}
    wanted = " or ".join(" and ".join(keys) for keys in _KEYS.get(datastore.kind, ())[-3:])
    raise UserErrorException(
        f"No credentials for {datastore.kind} are set here: set {wanted}."
        if wanted
        else "A claim needs no credentials: leave out --keys-from-env."
    )


def _bucket(url: str, parts: list[str]) -> dict[str, Any]:
    del url
    return {"bucket": parts[0]} | _prefix(parts[1:])


def _container(url: str, parts: list[str]) -> dict[str, Any]:
    if len(parts) < 2:
        raise UserErrorException(f"{url!r} names no container: write az://ACCOUNT/CONTAINER/PREFIX.")
    return {"account": parts[0], "container": parts[1]} | _prefix(parts[2:])


def _claim(url: str, parts: list[str]) -> dict[str, Any]:
    del url
    return {"claimName": parts[0]} | ({"subPath": "/".join(parts[1:])} if parts[1:] else {})


def _prefix(parts: list[str]) -> dict[str, Any]:
    return {"prefix": "/".join(parts) + "/"} if parts else {}


def _object(version: str, kind: Kind, name: str) -> Manifest:
    return {"apiVersion": version, "kind": str(kind), "metadata": {"name": name}}
