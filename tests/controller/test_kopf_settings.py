"""kopf's settings by their names in 1.45: a release that renames one must fail here, not go back to a default."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import kopf
from kopf._cogs.structs.ids import HandlerId

from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.handlers.shell import make_registry, make_settings


def test_the_settings_are_those_that_the_limits_ask_for() -> None:
    settings = make_settings()
    assert settings.posting.enabled is False
    assert settings.peering.standalone is True
    assert settings.scanning.disabled is True
    assert settings.watching.chunk_size == 500
    assert settings.watching.initial_streaming is False
    assert settings.watching.inactivity_timeout == 70.0
    assert (settings.watching.server_timeout, settings.watching.client_timeout) == (300, 330)
    assert (settings.networking.request_timeout, settings.networking.connect_timeout) == (30, 5)
    assert settings.networking.enforce_retry_after is True
    assert settings.queueing.worker_limit is None
    assert 1 <= settings.queueing.idle_timeout <= 2
    assert max(settings.queueing.error_delays) <= 10
    assert settings.execution.default_backoff == 5
    assert not settings.persistence.finalizer.startswith("kopf")


def test_kopf_still_has_every_setting_that_we_set() -> None:
    ours, fresh = make_settings(), kopf.OperatorSettings()
    for part in (
        "posting",
        "peering",
        "scanning",
        "watching",
        "networking",
        "queueing",
        "execution",
        "persistence",
    ):
        assert vars(getattr(ours, part)).keys() == vars(getattr(fresh, part)).keys()


def test_backoffs_never_end_grow_and_have_jitter() -> None:
    backoffs = make_settings().networking.error_backoffs
    assert isinstance(backoffs, Iterable)
    first, second = ([*itertools.islice(backoffs, 200)] for _ in range(2))
    assert first != second
    assert first[0] <= 1.0
    assert all(15.0 <= pause <= 30.0 for pause in first[6:])


def test_storages_keep_nothing_and_patch_nothing() -> None:
    persistence = make_settings().persistence
    body = kopf.Body({"metadata": {"name": "r"}, "spec": {"a": 1}})
    patch = kopf.Patch()
    assert persistence.diffbase_storage.build(body=body) == {}
    persistence.diffbase_storage.store(body=body, patch=patch, essence={"spec": {}})
    persistence.progress_storage.store(key=HandlerId("k"), record={}, body=body, patch=patch)
    persistence.progress_storage.touch(body=body, patch=patch, value="now")
    persistence.progress_storage.purge(key=HandlerId("k"), body=body, patch=patch)
    assert persistence.diffbase_storage.fetch(body=body) is None
    assert persistence.progress_storage.fetch(key=HandlerId("k"), body=body) is None
    assert dict(patch) == {}


def test_only_event_handlers_are_registered_one_per_kind() -> None:
    registry = make_registry(Cache(KeyedQueue()).ours)
    assert len(registry._watching._handlers) == 5
    for other in (registry._changing, registry._spawning, registry._indexing, registry._webhooks):
        assert len(other._handlers) == 0
