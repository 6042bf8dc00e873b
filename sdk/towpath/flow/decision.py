"""What `decide` gives back: the run's new record, and the effects that the operator executes in this order.

Where `results_changed`, the status is written and awaited; then registrations; then deletions; then Jobs of steps,
of exports, and of those who find results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from towpath.flow.contents import Content
from towpath.flow.mover_orders import Export, FindResult, Verification
from towpath.flow.planned import PlannedRegistration
from towpath.flow.recorded import Miss, RecordedRun


@dataclass(frozen=True)
class Limits:
    """What the installation allows, from the chart. Times are in seconds.

    `max_scratch_bytes` bounds what the inputs of a step may take of a node's disk; a sweep leaves what is younger
    than `sweep_older_than_seconds`, and only says what it would delete where `sweep_is_dry`. Without other cause a
    Datastore is swept every `sweep_interval_seconds`.
    """

    disruptions: int = 10
    mover_failures: int = 5
    start_timeout_seconds: int = 300
    store_timeout_seconds: int = 3600
    no_pod_seconds: int = 5
    not_found_seconds: int = 30
    cancel_grace_seconds: int = 30
    # A publisher that ended well may be seen a moment before its step is (the kubelet looks once a second).
    publish_alone_seconds: int = 10
    first_pause_seconds: int = 5
    longest_pause_seconds: int = 300
    max_scratch_bytes: int | None = None
    sweep_older_than_seconds: int = 86_400
    sweep_is_dry: bool = False
    sweep_interval_seconds: int = 86_400

    def pause_seconds(self, number: int) -> int:
        """How long to pause after so many failures, from 1: twice as long each time."""
        return min(self.first_pause_seconds << min(number - 1, 16), self.longest_pause_seconds)


@dataclass(frozen=True)
class AttemptOrder:
    """One Job to create. `inputs` holds what every input of the step will be given, by input name.

    `shards` are those that it runs, of a step with shards; `parts`, where it merges them, the attempts by shard.
    The Job carries `fingerprint` and `miss`: by them others know what it computes, and its step why it is run.
    """

    step: str
    attempt: int
    inputs: Mapping[str, Content] = field(default_factory=dict)
    shards: tuple[int, ...] = ()
    parts: Mapping[int, str] = field(default_factory=dict)
    fingerprint: str | None = field(default=None, compare=False)
    miss: Miss | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Derivation:
    """A version's ancestor: what its step read through one input."""

    input: str
    digest: str
    dataset: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Registration:
    """An accepted output to record as a version. `attempt` is the attempt's ID, number and pod UID."""

    step: str
    output: str
    register: PlannedRegistration
    content: Content
    attempt: str
    derived_from: tuple[Derivation, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What to do now. `check_after_seconds` is when to look again although nothing happened.

    `delete` names Jobs (with their pods, with the cancel grace); `ask_admission` names Jobs without a pod,
    whose pod is to be created as a dry run, the answer being `ObservedAttempt.refusal`; `ask_probe` names
    Datastores that are to be probed, unless that was done after the moment given. `verify` are movers to be started;
    `waits_for` holds fingerprints that other runs compute: when one of them is done, this run is to look again.
    """

    recorded: RecordedRun
    results_changed: bool = False
    create: tuple[AttemptOrder, ...] = ()
    delete: tuple[str, ...] = ()
    register: tuple[Registration, ...] = ()
    export: tuple[Export, ...] = ()
    find: tuple[FindResult, ...] = ()
    ask_admission: tuple[str, ...] = ()
    ask_probe: Mapping[str, datetime] = field(default_factory=dict)
    check_after_seconds: float | None = None
    verify: tuple[Verification, ...] = ()
    waits_for: frozenset[str] = frozenset()

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do for this run, ever."""
        return self.recorded.completion_time is not None and not self.delete
