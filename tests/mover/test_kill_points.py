"""Every request of a publish is a point at which the publisher may die, or its store fail: publish or nothing at each.

The proxy counts requests; the publisher is the real one, killed as the kernel kills it, and the store a real one.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from mover.breaking_proxy import Break, BreakingProxy, Request, breaking_proxy
from mover.forked import Forked, forked_movers
from mover.pods import RUN, Ended, Pod, datastore, inventory_of, output, write_files
from mover.transfers import MiB, a_store, behind
from towpath.flow import store_keys
from towpath.flow.planned import PlannedOutput
from towpath_mover.objects import open_inventory
from towpath_mover.pinned import Source, read_whole

pytestmark = [pytest.mark.server, pytest.mark.fault]

# One of many files, one of them in parts; one that is registered, so it lies elsewhere; one whose files share objects.
REGISTERED = store_keys.registered_prefix("team-a", "log", RUN.name, RUN.uid, "prep")
OUTPUTS = [output("model"), output("log", prefix=REGISTERED), output("shared", packed=True)]
FILES = {"model/weights": bytes(9 * MiB), "model/deep/card": b"words", "log": b"lines"}
FILES |= {"shared/1": b"one", "shared/2": b"two"}
# The next attempt writes something else: nothing of the two may mix.
LATER = {path: b"other " + content[:20] for path, content in FILES.items()}
FIRST, SECOND = "1-{:08}-0000-0000-0000-000000000000", "2-{:08}-0000-0000-0000-000000000000"


@dataclass
class Dying:
    """What happens to the publisher of one attempt at its n-th request, or from then on."""

    attempt: str
    point: int
    broken: Callable[[int], Break]
    lasts: bool
    process: int = 0
    seen: int = 0
    methods: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Break | None:
        if self.attempt not in request.path:
            return None
        self.seen += 1
        if self.seen == self.point or (self.lasts and self.seen > self.point):
            self.methods.append(request.method)
            return self.broken(self.process)
        return None


def _kill(process: int) -> None:
    # As the kernel does for want of memory: no handler hears of it.
    os.kill(process, signal.SIGKILL)


def _killed_before(process: int) -> Break:
    _kill(process)
    return Break(503)


# How it dies, whether that lasts, and whether this very attempt may still end well.
DEATHS: dict[str, tuple[Callable[[int], Break], bool, bool]] = {
    "killed before the request": (_killed_before, True, False),
    "killed before the answer": (lambda process: Break(carried_out=lambda: _kill(process)), True, False),
    "the store stays away": (lambda _: Break(503), True, False),
    "the store is away once": (lambda _: Break(503), False, True),
}


@dataclass(frozen=True)
class Stage:
    """Where all attempts publish the same: a pod, the proxy before its store, and what judges the store."""

    pod: Pod
    proxy: BreakingProxy
    space: Space
    movers: Forked
    folder: Path
    # What a first attempt reports that nothing disturbs.
    whole: dict[str, Any] = field(default_factory=dict)

    def attempt(self, number: int, attempt_id: str, rule: Dying | None = None) -> Ended:
        """One attempt to its end."""
        write_files(self.pod.root / "outputs", (FILES if number == 1 else LATER).items())
        given = {"attempt": number, "inputs": []}
        uid = attempt_id.partition("-")[2]
        self.pod.environ |= {"TOWPATH_POD_UID": uid, "TOWPATH_ATTEMPT": json.dumps(given)}
        self.proxy.rule = rule or (lambda _: None)

        def begun(process: int) -> None:
            if rule:
                rule.process = process

        return self.movers.publish(self.pod, begun)

    def stored(self) -> dict[str, str]:
        """Every object of all attempts so far, and what tells its content from another."""
        found = self.space.client.list_objects(self.space.bucket, self.space.prefix, recursive=True)
        return {str(one.object_name): str(one.etag) for one in found}

    def result(self, attempt_id: str) -> dict[str, Any] | None:
        """The attempt's commit, or None."""
        key = store_keys.result_key(OUTPUTS[0].prefix, attempt_id)
        return json.loads(self.space.get(key)) if key in self.space.keys(key) else None

    def check_commits(self, attempt_id: str) -> None:
        """Whatever says that something is whole must be right: inventories of their files, the result of those."""
        result = self.result(attempt_id)
        there = {one.name: self._inventory_of(one, attempt_id) for one in OUTPUTS}
        if result is not None:
            assert there == {one.name: inventory_of(result, one.name).path for one in OUTPUTS}
        for name, key in there.items():
            if key is not None:
                self._check_files(key, inventory_of(result or self.whole, name).digest)

    def _inventory_of(self, declared: PlannedOutput, attempt_id: str) -> str | None:
        found = self.space.keys(f"{declared.prefix}{attempt_id}/{declared.name}/inv")
        return found[0] if found else None

    def _check_files(self, inventory: str, digest: str) -> None:
        store = a_store(self.space, self.folder)
        reader = open_inventory(store, inventory, digest, self.folder)
        for entry in reader.entries():
            # It raises for any other bytes.
            read_whole(Source(store, reader.roots[entry.root].prefix), entry)


@pytest.fixture(scope="module")
def movers() -> Iterator[Forked]:
    with forked_movers() as movers:
        yield movers


@pytest.fixture
def stage(local_s3: Space, tmp_path: Path, movers: Forked) -> Iterator[Stage]:
    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        place = datastore(behind(local_s3, proxy.endpoint))
        pod = Pod(tmp_path, place, local_s3.s3.admin, outputs=OUTPUTS)
        stage = Stage(pod, proxy, local_s3, movers, tmp_path)
        undisturbed = stage.attempt(1, FIRST.format(0))
        assert undisturbed.code == 0, undisturbed.errors
        stage.whole.update(undisturbed.report)
        yield stage


@pytest.mark.parametrize("death", DEATHS)
def test_whatever_dies_at_whatever_request_a_reader_sees_all_or_nothing_and_the_next_attempt_is_whole(
    stage: Stage, death: str
) -> None:
    broken, lasts, may_end_well = DEATHS[death]
    points = 0
    for point in count(1):
        first, second = FIRST.format(point), SECOND.format(point)
        dying = Dying(first, point, broken, lasts)
        ended = stage.attempt(1, first, dying)
        if not dying.methods:
            # It had fewer requests than that: every one of them was a point.
            assert ended.code == 0
            break
        points += 1
        stage.check_commits(first)
        assert (ended.code == 0) == may_end_well, (point, ended)
        if ended.code == 0:
            assert stage.result(first) == ended.report
            continue
        assert "outputs" not in ended.report
        left = stage.stored()
        again = stage.attempt(2, second)
        assert again.code == 0, again.errors
        stage.check_commits(second)
        assert stage.result(second) == again.report
        assert {key: tag for key, tag in stage.stored().items() if f"/{second}/" not in key} == left
    # Two parts and what frames them, two files, a pack, three inventories, the result.
    assert points >= 11
