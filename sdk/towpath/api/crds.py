"""The models → CustomResourceDefinitions, as plain dictionaries. `generate.py` writes them down."""

from typing import Any

from towpath.api.kinds import KINDS
from towpath.api.meta import GROUP, VERSION, KindInfo, Resource
from towpath.api.structural import structural_schema

CATEGORY = "towpath"
# Kubernetes owns these three; of metadata it takes not even a description.
OBJECT_FIELDS: dict[str, dict[str, str]] = {
    "apiVersion": {"type": "string", "description": "Group and version of this kind: towpath.dev/v1alpha1."},
    "kind": {"type": "string", "description": "The kind of this object."},
    "metadata": {"type": "object"},
}


def make_crds() -> dict[str, dict[str, Any]]:
    """Give the CRD of every kind, by its plural name."""
    return {kind.info.plural: make_crd(kind) for kind in KINDS}


def make_crd(kind: type[Resource]) -> dict[str, Any]:
    """Give the CustomResourceDefinition of one kind."""
    info = kind.info
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{info.plural}.{GROUP}",
            "labels": {"app.kubernetes.io/name": "towpath", "app.kubernetes.io/component": "crds"},
        },
        "spec": {
            "group": GROUP,
            "names": _names(info),
            "scope": "Namespaced",
            "versions": [_version(kind)],
        },
    }


def _names(info: KindInfo) -> dict[str, Any]:
    return {
        "kind": info.kind,
        "listKind": f"{info.kind}List",
        "plural": info.plural,
        "singular": info.singular,
        "shortNames": [info.short_name],
        "categories": [CATEGORY],
    }


def _version(kind: type[Resource]) -> dict[str, Any]:
    info = kind.info
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
    }
    if info.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in info.selectable]
    version["additionalPrinterColumns"] = [column.as_dict() for column in info.columns]
    version["schema"] = {"openAPIV3Schema": object_schema(kind)}
    return version


def object_schema(kind: type[Resource]) -> dict[str, Any]:
    """Give the schema of the whole object: ours below `spec` and `status`, Kubernetes' own for the rest."""
    schema = structural_schema(kind)
    schema["properties"] |= OBJECT_FIELDS
    return schema
