"""A namespace of a cluster as a `Backend`: the only part of the SDK that imports a Kubernetes client.

Importing it costs half a second: `workspace.py` does so when a workspace of a cluster is opened, and not before.
"""

from towpath.cluster.backend import ClusterBackend
from towpath.cluster.connect import open_backend

__all__ = ["ClusterBackend", "open_backend"]
