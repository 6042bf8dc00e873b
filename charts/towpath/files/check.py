"""`helm test`: whether the operator says that it is ready, and whether the API server knows our five kinds."""

import json
import os
import ssl
import sys
import urllib.request
from pathlib import Path

KINDS = {"Datastore", "Dataset", "DatasetVersion", "Pipeline", "PipelineRun"}
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API = "https://kubernetes.default.svc/apis/towpath.dev/v1alpha1"


def main() -> int:
    """Looks at both and prints what was seen; the exit code."""
    answer = read(os.environ["READY_URL"])
    sys.stdout.write(f"operator: {answer}\n")
    known = {resource["kind"] for resource in json.loads(read_api())["resources"]}
    missing = sorted(KINDS - known)
    sys.stdout.write(f"kinds: {', '.join(sorted(KINDS & known))}\n")
    if missing:
        sys.stderr.write(f"error: the API server does not know {', '.join(missing)}: install the CRDs\n")
    return 1 if missing else 0


def read(url: str) -> str:
    """The body of an answer; an error status is raised."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the chart's own URL
        return answer.read().decode()


def read_api() -> str:
    """What the API server serves of our group, which every account of the cluster may ask."""
    request = urllib.request.Request(API)
    request.add_header("Authorization", f"Bearer {(ACCOUNT / 'token').read_text()}")
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:  # noqa: S310
        return answer.read().decode()


if __name__ == "__main__":
    sys.exit(main())
