"""`make demo-cluster`: a cluster, an installation and the iris pipeline on it, from nothing to the metrics."""

from __future__ import annotations

import sys

from cluster.access import Access, write_access
from cluster.installation import Tools, create_namespace, install
from cluster.progress import ClusterError, say
from cluster.providers import choose_provider
from cluster.towpath_image import load_image
from demo.fetch import fetch_version
from demo.follow import follow_run
from demo.iris import KINDS, start_iris

NAMESPACE = "towpath-demo"
BUCKET = "towpath-iris"


def main() -> int:
    """Runs the whole demo; the exit code."""
    try:
        return 0 if run_demo() else 1
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def run_demo() -> bool:
    """The demo; whether the run succeeded."""
    access = write_access(choose_provider().up())
    load_image()
    tools = Tools(access)
    # The chart gives the operator its rights there, so the namespace comes first.
    create_namespace(tools, NAMESPACE)
    install(tools, "towpath", "towpath-system", [NAMESPACE])
    run = start_iris(tools, access, NAMESPACE, BUCKET)
    say(f"Datastore, Dataset and Pipeline applied in {NAMESPACE}; run {run} started")
    succeeded = follow_run(tools, NAMESPACE, run)
    if succeeded:
        show_model(tools, access)
    show_objects(tools)
    show_next(access, run)
    return succeeded


def show_model(tools: Tools, access: Access) -> None:
    """What came out, read from the registered version's bytes."""
    latest = tools.kubectl.json("get", "-n", NAMESPACE, "datasets.towpath.dev", "iris-model")["status"][
        "latestVersion"
    ]
    version = f"iris-model-v{latest}"
    files = fetch_version(tools, access, NAMESPACE, version)
    print(
        f"\n{version}, fetched and verified: "
        + ", ".join(f"{path} ({len(data)} B)" for path, data in files.items())
    )
    print(f"metrics: {files['metrics.json'].decode()}\n")


def show_objects(tools: Tools) -> None:
    """Every kind, as kubectl shows it."""
    for kind in KINDS:
        print(tools.kubectl("-n", NAMESPACE, "get", f"{kind}.towpath.dev"))


def show_next(access: Access, run: str) -> None:
    """Commands to go on with."""
    path = f" PATH={access.tools}:$PATH" if access.tools else ""
    print(f"""Next:
  export KUBECONFIG={access.kubeconfig}{path}
  kubectl -n {NAMESPACE} describe pipelineruns.towpath.dev {run}
  kubectl -n {NAMESPACE} logs -l towpath.dev/run={run},towpath.dev/step=train -c step
  kubectl -n {NAMESPACE} create -f examples/iris/run.yaml
  make cluster-down""")


if __name__ == "__main__":
    sys.exit(main())
