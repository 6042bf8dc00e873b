"""Why a Job has no pod: its pod is created as a dry run, and admission or quota says what it says."""

from __future__ import annotations

from typing import Any

from towpath_operator.cluster.api import Api, ApiError, NotFoundError, TryAgainError
from towpath_operator.cluster.resources import JOBS, PODS

Json = dict[str, Any]


async def ask_admission(client: Api, namespace: str, job: str) -> str | None:
    """The words that refuse the pod of this Job; None if it would be admitted, or the Job is gone."""
    try:
        template = (await client.get(JOBS.path(namespace, job)))["spec"]["template"]
    except NotFoundError:
        return None
    meta = template.get("metadata") or {}
    pod = {
        "apiVersion": PODS.api_version,
        "kind": PODS.kind,
        "metadata": {
            "generateName": f"{job}-",
            "labels": meta.get("labels") or {},
            "annotations": meta.get("annotations") or {},
        },
        "spec": template["spec"],
    }
    try:
        await client.create(PODS.path(namespace), pod, {"dryRun": "All"})
    except TryAgainError:
        raise
    except ApiError as error:
        return error.message
    return None
