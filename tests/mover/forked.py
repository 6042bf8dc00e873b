"""Movers that give up a store that stays away within a second, for tests that break it hundreds of times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mover.loaded import Loaded, loaded
from mover.pods import Ended, Pod, ended


class Forked:
    """Runs movers: their exit code is that of the process, negative for a signal."""

    def __init__(self, movers: Loaded) -> None:
        self._movers = movers

    def publish(self, pod: Pod, has_begun: Callable[[int], None] = lambda _: None) -> Ended:
        """Run `publish` of a step that ended well; `has_begun` is told the process as soon as there is one."""
        return self.run(("publish", "0\n."), pod.environ, pod.root, has_begun)

    def run(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        root: Path,
        has_begun: Callable[[int], None] = lambda _: None,
    ) -> Ended:
        """Run a mover whose folders lie below `root`."""
        code, errors, _ = self._movers.run(arguments, environ, has_begun)
        return ended(root, code, errors)


@contextmanager
def forked_movers() -> Iterator[Forked]:
    """Such movers, until the block ends."""
    with loaded("hasty") as movers:
        yield Forked(movers)
