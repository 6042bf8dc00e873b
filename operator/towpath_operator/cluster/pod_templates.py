"""PodTemplates are read when a run names one as a computeTarget, and never watched: the plan holds what it takes."""

from __future__ import annotations

from typing import Any

from towpath_operator.cluster.api import Api
from towpath_operator.cluster.listing import list_all
from towpath_operator.cluster.resources import POD_TEMPLATES

Json = dict[str, Any]


async def read_pod_templates(client: Api, namespace: str) -> dict[str, Json]:
    """All PodTemplates of a namespace by name: of those that were not asked for, the names make hints."""
    items, _ = await list_all(client, POD_TEMPLATES, namespace, {})
    return {item["metadata"]["name"]: item for item in items}
