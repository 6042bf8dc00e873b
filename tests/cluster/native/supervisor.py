"""The first process of the node: prepares its namespaces, starts the components in order, starts again what
ends, and collects every orphan. Killing it ends everything on the node.

Started by namespaces.py as `python -m cluster.native.supervisor STATE SOCKETS`."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from cluster.native.api import is_api_ready
from cluster.native.component import Component, load_components
from cluster.native.inside import prepare_node
from cluster.native.layout import Layout
from cluster.progress import say
from cluster.waiting import wait_until

_SECONDS_BEFORE_RESTART = 1.0
# No proxy settings: nothing on the node may be sent elsewhere. All components are Go's: its memory is collected a
# quarter as often as by default, which is a tenth of the node's processor time.
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "GOGC": "400",
}


class Supervisor:
    """Keeps the components running, each with a log of its own."""

    def __init__(self, layout: Layout, components: Sequence[Component]) -> None:
        self._layout = layout
        self._components = components
        self._running: dict[int, Component] = {}

    def run(self) -> None:
        """Starts everything and never returns."""
        for component in self._components:
            if not component.needs_api:
                self._start(component)
        threading.Thread(target=self._start_the_rest, daemon=True).start()
        while True:
            self._collect()

    def _start_the_rest(self) -> None:
        while not wait_until(lambda: is_api_ready(self._layout.kubeconfig), 60):
            say("the API server is still not ready")
        say("the API server is ready")
        for component in self._components:
            if component.needs_api:
                self._start(component)

    def _start(self, component: Component) -> None:
        log = self._layout.logs / f"{component.name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(component.command),
                cwd=self._layout.state,
                env={**_ENVIRONMENT, **component.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._running[process.pid] = component
        say(f"{component.name} started as process {process.pid}")

    def _collect(self) -> None:
        pid, status = os.waitpid(-1, 0)
        component = self._running.pop(pid, None)
        if component is None:
            return
        say(f"{component.name} ended with {os.waitstatus_to_exitcode(status)} and is started again")
        threading.Timer(_SECONDS_BEFORE_RESTART, self._start, [component]).start()


def main() -> None:
    """The node's whole life."""
    layout = Layout(state=Path(sys.argv[1]), sockets=Path(sys.argv[2]))
    components = load_components(layout.plan.read_text())
    prepare_node(layout)
    say("the node's namespaces are ready")
    Supervisor(layout, components).run()


if __name__ == "__main__":
    main()
