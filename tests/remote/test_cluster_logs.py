"""Logs of a run's containers on a real cluster: what is kept, what comes, and what the status has of what is gone."""

from __future__ import annotations

import threading

import pytest

from cluster.kubectl import Kubectl
from cluster.waiting import wait_until
from remote.log_pods import a_run, step_pod
from towpath.backend import Container, LogLine
from towpath.cluster import ClusterBackend

pytestmark = pytest.mark.server

SCRIPTS = {
    "stage-in": "echo in",
    "step": "echo one; echo; printf 'no end'",
    "publish": "echo out",
    "sidecar": "echo never",
}
LINES = [
    LogLine("prep_data", 1, Container.STAGE_IN, "in"),
    LogLine("prep_data", 1, Container.STEP, "one"),
    LogLine("prep_data", 1, Container.STEP, ""),
    LogLine("prep_data", 1, Container.STEP, "no end"),
    LogLine("prep_data", 1, Container.PUBLISH, "out"),
]


def has_ended(kubectl: Kubectl, namespace: str, pod: str) -> bool:
    return kubectl.direct.get("pods", pod, namespace)["status"].get("phase") in ("Succeeded", "Failed")


def test_every_container_is_read_in_order_and_what_is_gone_is_taken_from_the_status(
    backend: ClusterBackend, kubectl: Kubectl
) -> None:
    kubectl.apply(step_pod("prep_data", SCRIPTS), namespace=backend.namespace)
    assert wait_until(lambda: has_ended(kubectl, backend.namespace, "iris-1-prep-data-1"), 120)
    failed = {"name": "train", "attempt": 2, "logTail": "Traceback\nKeyError: 'x'"}
    run = a_run(steps=[failed, {"name": "prep_data", "logTail": "not twice"}])
    tail = [LogLine("train", 2, Container.STEP, text) for text in ("Traceback", "KeyError: 'x'")]
    assert list(backend.logs(run)) == LINES + tail
    assert list(backend.logs(run, step="prep_data", container=Container.PUBLISH)) == LINES[-1:]
    assert list(backend.logs(run, step="train")) == tail
    assert list(backend.logs(run, container=Container.STAGE_IN)) == LINES[:1]


def test_a_followed_log_gives_each_line_once_as_it_comes_and_ends_with_the_run(
    backend: ClusterBackend, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each connection is cut after a second of silence: what follows must neither be lost nor come twice.
    monkeypatch.setattr("towpath.cluster.logs._SILENCE_SECONDS", 1)
    monkeypatch.setattr("towpath.cluster.patience._PAUSE_SECONDS", 0.1)
    script = "for i in 1 2 3; do echo line $i; echo more $i; sleep 2; done"
    kubectl.apply(step_pod("train", {"step": script}), namespace=backend.namespace)
    over = threading.Event()
    monkeypatch.setattr("towpath.cluster.logs._has_ended", lambda *_: over.is_set())
    texts = []
    for line in backend.logs(a_run(), follow=True):
        texts.append(line.text)
        if line.text == "more 3":
            over.set()
    assert texts == ["line 1", "more 1", "line 2", "more 2", "line 3", "more 3"]
