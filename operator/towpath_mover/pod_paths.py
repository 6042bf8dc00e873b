"""Where everything lies in a step's pod, as one value: tests and local runs put it below another root."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from towpath.flow import names
from towpath_mover.stores import Places

ROOT_VARIABLE = "TOWPATH_ROOT"
# Set where a step runs on the machine itself, which is its launcher already. As a process it sees its folders where
# they lie, in a container where they were planned to be.
LOCAL_VARIABLE = "TOWPATH_LOCAL"
AS_PROCESS, AS_CONTAINER = "process", "container"
TERMINATION_LOG_VARIABLE = "TOWPATH_TERMINATION_LOG"
TERMINATION_LOG = "/dev/termination-log"


class PodPaths(NamedTuple):
    """The folders of a pod, all below `root`; volumes are mounted at these names by whoever renders the pod."""

    root: Path = Path("/towpath")
    # A volume of the movers' own: their root is read-only.
    scratch: Path = Path("/tmp")  # noqa: S108
    is_local: bool = False
    is_process: bool = False

    def here(self, path: str) -> Path:
        """Return where a path below /towpath lies; any other path stays what it is."""
        inside = path.removeprefix("/towpath/")
        return Path(path) if inside == path else self.root / inside

    def output(self, path: str) -> Path:
        """Return where lies what a step writes at this path."""
        return self.here(names.output_place(path))

    def seen_input(self, name: str, path: str) -> str:
        """Return where the step finds this input, which was planned to be at `path`."""
        return str(self.here(f"{names.CONTAINER_INPUTS}/{name}")) if self.is_process else path

    def seen_output(self, path: str) -> str:
        """Return where the step writes the output that was planned to be at `path`."""
        return str(self.output(path)) if self.is_process else path

    @property
    def run_document(self) -> Path:
        """What all pods of the run share."""
        return self.root / "plan/run.json.gz"

    @property
    def step_document(self) -> Path:
        """What this step's pod needs."""
        return self.root / "plan/step.json.gz"

    @property
    def bin(self) -> Path:
        """The launcher's folder, which `step` and `publish` mount read-only."""
        return self.root / "bin"

    @property
    def python(self) -> Path:
        """The folder with what a step's script may import of Towpath, the last of its PYTHONPATH."""
        return self.bin / "python"

    @property
    def work(self) -> Path:
        """The step's working directory: its code, HOME and TMPDIR."""
        return self.root / "work"

    @property
    def metrics(self) -> Path:
        """The JSON lines that the step logs its metrics to."""
        return self.work / ".metrics.jsonl"

    @property
    def code(self) -> Path:
        """The mounted ConfigMap with the step's code."""
        return self.root / "code"

    @property
    def context(self) -> Path:
        """What `Run.get_context()` reads in the step."""
        return self.root / "context/context.json"

    @property
    def sweep(self) -> Path:
        """The mounted ConfigMaps with the lists and records of a sweep."""
        return self.root / "sweep"

    def source_ca(self, config_map: str) -> Path:
        """The certificates that a source's `caConfigMapRef` names."""
        return self.root / "source-ca" / config_map / "ca.crt"

    @property
    def places(self) -> Places:
        """Where stores find credentials, CA certificates and volumes."""
        return Places(self.root / "credentials", self.root / "ca", self.root / "volumes")


def pod_paths(environ: Mapping[str, str]) -> PodPaths:
    """Return the pod's paths; the root is /towpath unless the environment says otherwise, with a `tmp` in it then."""
    root = environ.get(ROOT_VARIABLE)
    local = environ.get(LOCAL_VARIABLE, "")
    return PodPaths(Path(root), Path(root) / "tmp", bool(local), local == AS_PROCESS) if root else PodPaths()


def termination_log(environ: Mapping[str, str]) -> Path:
    """Return the file from which the kubelet takes the container's last words."""
    return Path(environ.get(TERMINATION_LOG_VARIABLE) or TERMINATION_LOG)
