"""A container's `env`, `envFrom`, command and arguments → plain texts, as a kubelet makes them: `$$` is a `$`, and
`$(NAME)` the value of a variable, or itself where there is none."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from towpath.backend import Kind
from towpath.local.objects import ObjectFolder

_TOKEN = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")


class NotThereError(Exception):
    """A variable is to come from what does not exist here."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """The text with its references to variables replaced, once."""

    def replaced(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else values.get(found[1], found[0])

    return _TOKEN.sub(replaced, text)


def environment(
    container: Mapping[str, Any], meta: Mapping[str, Any], objects: ObjectFolder
) -> dict[str, str]:
    """The variables of a container: those of `envFrom`, then its own, each of which may refer to those before."""
    values: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        values |= _all_of(source, objects)
    for entry in container.get("env") or ():
        value = _one_of(entry["valueFrom"], meta, objects) if entry.get("valueFrom") else None
        if value is not None:
            values[entry["name"]] = value
        elif not entry.get("valueFrom"):
            values[entry["name"]] = expand(entry.get("value") or "", values)
    return values


def words(texts: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """A command or its arguments."""
    return [expand(text, values) for text in texts]


def _all_of(source: Mapping[str, Any], objects: ObjectFolder) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    for field, kind in (("configMapRef", Kind.CONFIG_MAP), ("secretRef", Kind.SECRET)):
        if named := source.get(field):
            data = contents(objects, kind, named["name"])
            if data is None and not named.get("optional"):
                raise NotThereError(f"there is no {kind} {named['name']!r} in this workspace")
            return {prefix + key: value.decode(errors="replace") for key, value in (data or {}).items()}
    return {}


def _one_of(source: Mapping[str, Any], meta: Mapping[str, Any], objects: ObjectFolder) -> str | None:
    for field, kind in (("configMapKeyRef", Kind.CONFIG_MAP), ("secretKeyRef", Kind.SECRET)):
        if named := source.get(field):
            value = (contents(objects, kind, named["name"]) or {}).get(named["key"])
            if value is None and not named.get("optional"):
                raise NotThereError(
                    f"there is no key {named['key']!r} of a {kind} {named['name']!r} in this workspace"
                )
            return None if value is None else value.decode(errors="replace")
    field_path = (source.get("fieldRef") or {}).get("fieldPath", "")
    known = {f"metadata.{name}": str(meta[name]) for name in ("name", "namespace", "uid")}
    if field_path not in known:
        raise NotThereError(f"valueFrom {dict(source)} says nothing without a cluster")
    return known[field_path]


def contents(objects: ObjectFolder, kind: Kind, name: str) -> dict[str, bytes] | None:
    """All keys of a ConfigMap or Secret; None if there is none."""
    item = objects.read(kind, name)
    if item is None:
        return None
    encoded = item.get("binaryData") or {} if kind is Kind.CONFIG_MAP else item.get("data") or {}
    plain = item.get("data") or {} if kind is Kind.CONFIG_MAP else item.get("stringData") or {}
    data = {key: base64.b64decode(text) for key, text in encoded.items()}
    return data | {key: text.encode() for key, text in plain.items()}
