"""A plan's documents → the immutable ConfigMap that holds them; its creation is the lock on the run."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from towpath.flow import names
from towpath.flow.documents import pack
from towpath.flow.planned import RunIdentity
from towpath_operator.jobs.job import Object, owner_of, owner_references


def render(run: RunIdentity, documents: Mapping[str, dict[str, Any]]) -> Object:
    """The ConfigMap, owned by the run."""
    owner = owner_of(run)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": names.plan_name(run.name, run.uid),
            "namespace": run.namespace,
            "labels": {
                names.MANAGED_BY_LABEL: names.MANAGED_BY,
                names.RUN_LABEL: names.label_value(run.name),
                names.RUN_UID_LABEL: run.uid,
            },
            "ownerReferences": owner_references(owner),
        },
        "immutable": True,
        "binaryData": {key: base64.b64encode(data).decode() for key, data in pack(documents).items()},
    }
