"""What the Events of a pod say while nothing of it begins: volumes and sandboxes speak nowhere else."""

from __future__ import annotations

from towpath_operator.cluster.api import Api
from towpath_operator.cluster.resources import EVENTS

# Of all warnings only these: others repeat what the status of the pod says better.
_TELLING = (
    "FailedCreatePodSandBox",
    "FailedMount",
    "FailedAttachVolume",
    "FailedMapVolume",
    "NetworkNotReady",
)


async def read_warning(client: Api, namespace: str, pod_uid: str) -> str | None:
    """The newest telling warning about this pod, or None."""
    query = {"fieldSelector": f"involvedObject.uid={pod_uid},type=Warning", "limit": "50"}
    events = (await client.get(EVENTS.path(namespace), query)).get("items") or ()
    telling = [event for event in events if event.get("reason") in _TELLING]
    if not telling:
        return None
    newest = max(telling, key=lambda event: int(event["metadata"]["resourceVersion"]))
    return f"{newest['reason']}: {newest.get('message', '')}"
