"""The commands of a step's two containers that meet at the FIFO: the launcher in `step`, the waiting `publish`.

Pure text for whoever renders the pod; `launcher.sh` is the script that the first of them runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

BIN = "/towpath/bin"
IMAGE_BUSYBOX = "/bin/busybox"
SOURCE = Path(__file__).with_name("launcher.sh")

# Opening waits for the launcher. A TERM until then ends the waiting: the step never began, nothing is to publish.
# Once it began, its launcher hears of every stop itself and reports, so nothing is left to do but to read on.
# More than a few bytes is no report of ours; the rest is drained, or the writer would hang. The `.` keeps newlines.
_WAIT = """\
trap stop=1 TERM
command exec 8<"$1" || exit 45
trap '' TERM
said=$(head -c 64 <&8; cat <&8 >/dev/null; echo .)
exec 8<&-
exec "$2" -P -s -m towpath_mover publish "$said"
"""


def launcher_command(
    command: Sequence[str], timeout_seconds: int | None, grace_seconds: int, folder: str = BIN
) -> list[str]:
    """Return what container `step` runs: the user's command under the launcher, which never sees a shell's quoting."""
    limit = "" if timeout_seconds is None else str(timeout_seconds)
    return [f"{folder}/busybox", "sh", f"{folder}/launcher", limit, str(grace_seconds), *command]


def publish_command(
    fifo: str = f"{BIN}/alive", python: str = "python3", busybox: str = IMAGE_BUSYBOX
) -> list[str]:
    """Return what container `publish` runs: it waits for the step's end without Python, then publishes."""
    return [busybox, "sh", "-c", _WAIT, "publish", fifo, python]
