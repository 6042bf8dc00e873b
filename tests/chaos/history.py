"""Everything that was ever seen of runs: a watch of their objects, and the rules that each change must keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

from cluster.kubectl import Kubectl

Json = dict[str, Any]
_FINAL = {"Succeeded", "Failed", "Skipped", "Cancelled"}
# Registration writes its number later; seconds and notes tell, and nothing rests on them.
_LATER = {"version", "export"}


class History:
    """The violations that were seen so far, in words."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self._seen: dict[str, Json] = {}
        self._lock = Lock()

    def see(self, run: Json) -> None:
        """Compare a run with what was seen of it before."""
        with self._lock:
            before = self._seen.get(run["metadata"]["uid"], {})
            self._seen[run["metadata"]["uid"]] = run
            self.violations += broken_by(
                before.get("status", {}), run.get("status", {}), run["metadata"]["name"]
            )


def broken_by(before: Json, after: Json, run: str) -> list[str]:
    """What may not become of a run, and did."""
    found = []
    if "completionTime" in before and _end(before) != _end(after):
        found.append(f"{run} ended as {_end(before)}, and then as {_end(after)}")
    if before.get("planDigest") not in (None, after.get("planDigest")):
        found.append(f"{run} has another plan")
    steps = {step["name"]: step for step in after.get("steps", [])}
    for old in before.get("steps", []):
        found += _broken_step(old, steps.get(old["name"], {}), f"{run}/{old['name']}")
    return found


def _broken_step(old: Json, new: Json, where: str) -> list[str]:
    found = []
    if new.get("attempt", 0) < old.get("attempt", 0):
        found.append(f"{where} went back from attempt {old['attempt']} to {new.get('attempt')}")
    if old["state"] in _FINAL and _result(old) != _result(new):
        found.append(f"{where} was {_result(old)}, and then {_result(new)}")
    return found


def _end(status: Json) -> tuple[Any, Any]:
    return status.get("state"), status.get("completionTime")


def _result(step: Json) -> tuple[Any, ...]:
    outputs = [
        {key: value for key, value in one.items() if key not in _LATER} for one in step.get("outputs", [])
    ]
    return step.get("state"), step.get("attemptId"), json.dumps(outputs, sort_keys=True)


@contextmanager
def watched(kubectl: Kubectl, namespace: str) -> Iterator[History]:
    """A history that is told of every change until the block ends."""
    history = History()
    process = kubectl.watch(
        "get", "pipelineruns.towpath.dev", "--watch", "-o", "json", "--namespace", namespace
    )

    assert process.stdout is not None
    said = process.stdout

    def follow() -> None:
        decoder, text = json.JSONDecoder(), ""
        for line in said:
            text += line
            # kubectl writes one object after another; each ends with a brace at the start of a line.
            if line == "}\n":
                history.see(decoder.decode(text))
                text = ""

    thread = Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield history
    finally:
        process.kill()
        process.wait()
        thread.join()
        said.close()
