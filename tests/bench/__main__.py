"""`make bench`: every figure of this release, beside its peer, in one run on one cluster."""

from __future__ import annotations

import secrets
import signal
import sys

from bench import handover, parts, steps
from cluster.access import write_access
from cluster.installation import Tools, create_namespace, install, uninstall
from cluster.providers import choose_provider
from cluster.space import fresh_space
from cluster.towpath_image import load_image
from e2e.tenant import Tenant, is_ready


def main() -> None:
    """Installs, measures, prints, uninstalls."""
    # So that what is installed goes, also where a time-out ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    access = write_access(choose_provider().up())
    load_image()
    tools = Tools(access)
    mark = secrets.token_hex(3)
    namespace, system = f"bench-{mark}", f"towpath-bench-{mark}"
    create_namespace(tools, namespace)
    install(tools, f"bench-{mark}", system, [namespace])
    tenant = Tenant(tools, access, namespace)
    tenant.secret("store", access.s3.admin)
    try:
        with fresh_space(access.s3) as space:
            tenant.apply("Datastore", "default", tenant.s3_datastore(space))
            tenant.until("datastores", "default", is_ready)
            for report in (steps.report, parts.report, handover.report):
                print(*report(tenant), sep="\n", flush=True)
    finally:
        tools.kubectl("delete", "namespace", namespace)
        uninstall(tools, f"bench-{mark}", system)
        tools.kubectl("delete", "namespace", system)


if __name__ == "__main__":
    main()
