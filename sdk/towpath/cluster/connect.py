"""A kubeconfig → a connected `ClusterBackend`; in a pod, its service account."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kubernetes import config
from kubernetes.client import ApiClient, Configuration

from towpath.cluster.backend import ClusterBackend
from towpath.cluster.client import Client
from towpath.errors import NotFoundError, UserErrorException
from towpath.flow.near_names import near

_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class _Context:
    """What a context of the kubeconfig says."""

    name: str | None
    cluster: str
    namespace: str


def open_backend(
    namespace: str | None = None, context: str | None = None, kubeconfig: str | Path | None = None
) -> ClusterBackend:
    """A namespace of a cluster; the kubeconfig's own where none is given. It speaks to nobody yet.

    `kubeconfig` is a file; omitted, it is what kubectl takes: KUBECONFIG, else ~/.kube/config, else the pod's own.
    """
    file = str(kubeconfig) if kubeconfig is not None else None
    configuration = Configuration()
    try:
        chosen = _chosen(file, context)
        config.load_kube_config(file, chosen.name, configuration)
    except config.ConfigException as error:
        if file is not None or context is not None:
            raise _unreadable(file, error) from error
        chosen = _in_pod(configuration, error)
    # A laptop's connection dies silently when it sleeps.
    configuration.keep_alive = True
    configuration.retries = 1
    where = f"namespace {namespace or chosen.namespace} of cluster {chosen.cluster}"
    return ClusterBackend(Client(ApiClient(configuration), where), namespace or chosen.namespace)


def _chosen(file: str | None, name: str | None) -> _Context:
    contexts, active = config.list_kube_config_contexts(file)
    known = {each["name"]: each for each in contexts}
    if name is not None and name not in known:
        raise NotFoundError(f"The kubeconfig has no context {name}. {near(name, known)}")
    found = known[name] if name is not None else active
    inside = found["context"]
    return _Context(found["name"], inside.get("cluster") or "?", inside.get("namespace") or "default")


def _in_pod(configuration: Configuration, error: Exception) -> _Context:
    try:
        config.load_incluster_config(configuration)
    except config.ConfigException:
        raise _unreadable(None, error) from error
    return _Context(None, configuration.host, _OWN_NAMESPACE.read_text().strip())


def _unreadable(file: str | None, error: Exception) -> UserErrorException:
    which = f"the kubeconfig {file}" if file else "a kubeconfig (KUBECONFIG, else ~/.kube/config)"
    advice = "Log in to a cluster, or work without one: Workspace.local(), `towpath init --local`."
    return UserErrorException(f"Could not use {which}: {error}. {advice}")
