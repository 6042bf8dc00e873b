"""The running cluster is what tests take it for: a real node with names, an API, a store and its limits."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cluster.access import REPOSITORY, Access
from cluster.audit import AuditLog
from cluster.kubectl import Kubectl
from cluster.native.images import STATIC_STEP_IMAGE, build_pause, build_static_step
from cluster.pods import PYTHON_IMAGE, restricted_pod, run_pod
from cluster.progress import ClusterError
from cluster.provider import Provider
from cluster.space import Space
from cluster.waiting import wait_until

pytestmark = pytest.mark.server

# Prints, as JSON, what a pod sees of the cluster around it.
_LOOK_AROUND = """
import json, pathlib, socket, ssl, sys, urllib.request
account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
trust = ssl.create_default_context(cafile=account / "ca.crt")
who = {"Authorization": "Bearer " + (account / "token").read_text()}
version = urllib.request.Request("https://kubernetes.default.svc/version", headers=who)
def outside():
    try:
        return socket.create_connection(("198.51.100.1", 80), timeout=5) and "reached"
    except OSError as error:
        return type(error).__name__
print(json.dumps({
    "address": socket.gethostbyname("kubernetes.default.svc.cluster.local"),
    "version": json.load(urllib.request.urlopen(version, context=trust))["gitVersion"],
    "store": urllib.request.urlopen(sys.argv[1] + "/status").status,
    "outside": outside(),
}))
"""


def test_the_node_is_ready(kubectl: Kubectl) -> None:
    nodes = kubectl.json("get", "nodes")["items"]
    ready = [entry["status"] for entry in nodes[0]["status"]["conditions"] if entry["type"] == "Ready"]
    assert ready == ["True"]


def test_a_pod_reaches_names_api_and_store_and_nothing_outside(
    kubectl: Kubectl, namespace: str, cluster: Access
) -> None:
    command = ("python3", "-c", _LOOK_AROUND, cluster.s3.endpoint)
    code, said = run_pod(kubectl, namespace, restricted_pod("look", PYTHON_IMAGE, command=command))
    assert code == 0, said
    seen = json.loads(said)
    assert seen["address"] == kubectl.json("get", "service", "kubernetes")["spec"]["clusterIP"]
    assert seen["version"] == kubectl.json("version")["serverVersion"]["gitVersion"]
    assert seen["store"] == 200
    assert seen["outside"] == "OSError"


def test_the_host_reaches_the_store(s3: Space) -> None:
    s3.put("a", b"1")
    assert (s3.keys(), s3.get("a")) == (["a"], b"1")


def test_an_image_without_a_shell_runs_as_a_step(
    provider: Provider, kubectl: Kubectl, namespace: str
) -> None:
    name = provider.load_image(build_static_step(), STATIC_STEP_IMAGE)
    code, said = run_pod(kubectl, namespace, restricted_pod("step", name, "say", "hello", "exit", "7"))
    assert (code, said) == (7, "hello\n")


def test_an_image_is_loaded_by_the_command_of_the_documentation(provider: Provider) -> None:
    command = [sys.executable, "-m", "cluster", "load-image", STATIC_STEP_IMAGE, str(build_static_step())]
    # -m finds the package in the current folder.
    done = subprocess.run(command, cwd=REPOSITORY / "tests", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == provider.load_image(build_static_step(), STATIC_STEP_IMAGE)


def test_an_archive_with_another_name_is_refused(provider: Provider) -> None:
    if provider.name != "native":
        pytest.skip("only the native provider looks")
    with pytest.raises(ClusterError, match="does not carry localhost/other:1"):
        provider.load_image(build_pause(), "localhost/other:1")


def test_pod_security_refuses_what_is_not_restricted(kubectl: Kubectl, namespace: str) -> None:
    pod = restricted_pod("bad", PYTHON_IMAGE)
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    said = kubectl.refusal("apply", "-n", namespace, "-f", "-", stdin=json.dumps(pod))
    assert 'violates PodSecurity "restricted' in said


def test_a_quota_is_enforced(kubectl: Kubectl, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
    kubectl.apply({**quota, "spec": {"hard": {"pods": "0"}}}, namespace=namespace)
    pod = json.dumps(restricted_pod("bad", PYTHON_IMAGE))
    assert wait_until(
        lambda: "exceeded quota" in kubectl.refusal("create", "-n", namespace, "-f", "-", stdin=pod), 10
    )


def test_the_audit_log_tells_the_writes_of_a_user_apart(
    kubectl: Kubectl, namespace: str, cluster: Access
) -> None:
    if cluster.audit_log is None:
        pytest.skip("this provider's audit log cannot be read")
    log = AuditLog(cluster.audit_log).from_now()
    kubectl("create", "configmap", "by-admin", "-n", namespace)
    kubectl.as_user("subject")("create", "configmap", "by-subject", "-n", namespace)
    assert wait_until(lambda: len(_in(namespace, log)) == 1, 5)
    assert _in(namespace, log) == [("create", "configmaps", "by-subject", 201)]


def _in(namespace: str, log: AuditLog) -> list[tuple[str, str, str, int]]:
    writes = [write for write in log.writes("subject") if write.namespace == namespace]
    return [(write.verb, write.resource, write.name, write.code) for write in writes]


def test_a_running_cluster_is_found_and_not_started_again(provider: Provider, cluster: Access) -> None:
    before = provider.status()
    assert provider.up().kubeconfig.read_bytes() == cluster.kubeconfig.read_bytes()
    assert provider.status() == before
