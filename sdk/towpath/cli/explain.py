"""A step of a run, and the run it was compared with → why it stands there: reason, meaning, and what differs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from towpath.cli.run_view import RunView, StepView
from towpath.flow.conditions import MissReason, Reason, RunReason, StepReason
from towpath.flow.fingerprint import INPUT
from towpath.flow.planned import PlannedStep

MOST_TEXT = 200


@dataclass(frozen=True)
class Difference:
    """One component of a step's work that is another one than in the earlier run: what it was, what it is."""

    component: str
    what: str
    before: str
    now: str


@dataclass(frozen=True)
class Explained:
    """Why one step stands where it stands."""

    step: StepView
    reason: str
    meaning: str
    message: str
    miss: Mapping[str, Any]
    miss_meaning: str
    differences: tuple[Difference, ...] = ()


def explain(view: RunView, step: StepView, other: RunView | None) -> Explained:
    """The explanation; `other` is the run that the step's miss names, where it still exists."""
    reason = str(step.status.get("reason") or "")
    miss = step.status.get("reuseMiss") or {}
    return Explained(
        step=step,
        reason=reason,
        meaning=meaning(StepReason, reason),
        message=str(step.status.get("message") or ""),
        miss=miss,
        miss_meaning=meaning(MissReason, str(miss.get("reason") or "")),
        differences=tuple(_differences(view, step, other, miss.get("components") or ())),
    )


def meaning(reasons: type[Reason], word: str) -> str:
    """What a reason means, as docs/reference/reasons.md has it; empty for a word of another release."""
    return next((reason.meaning for reason in reasons if reason == word), "")


def run_meaning(reason: str) -> str:
    """What the reason of a run's condition means."""
    return meaning(RunReason, reason)


def _differences(
    view: RunView, step: StepView, other: RunView | None, components: tuple[str, ...]
) -> Iterator[Difference]:
    before = other.step(step.name) if other else None
    if other is None or before is None or step.planned is None or before.planned is None:
        return
    for component in components:
        found = list(_of_component(component, (other, before), (view, step)))
        yield from found or [Difference(component, component, "another one", "another one")]


def _of_component(
    component: str, before: tuple[RunView, StepView], now: tuple[RunView, StepView]
) -> Iterator[Difference]:
    (old_run, old), (new_run, new) = before, now
    if component.startswith(INPUT):
        name = component.removeprefix(INPUT)
        yield Difference(component, f"input {name}", _input(old, name), _input(new, name))
    elif component == "params":
        yield from _changed(component, "param ", old_run.params, new_run.params)
    elif old.planned and new.planned and component in _PARTS:
        yield from _changed(component, "", _PARTS[component](old.planned), _PARTS[component](new.planned))


def _changed(
    component: str, prefix: str, before: Mapping[str, object], now: Mapping[str, object]
) -> Iterator[Difference]:
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield Difference(component, f"{prefix}{name}", _shown(before.get(name)), _shown(now.get(name)))


def _input(step: StepView, name: str) -> str:
    found = next((given for given in step.inputs if given.name == name), None)
    if found is None:
        return "not there"
    digest = (found.data.digest or "").removeprefix("sha256:")[:12]
    return f"{found.words} ({digest})" if digest else found.words


def _shown(value: object) -> str:
    if value is None:
        return "not there"
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _words(name: str, words: tuple[str, ...]) -> dict[str, object]:
    return {f"{name}[{place}]": word for place, word in enumerate(words)}


def _code(step: PlannedStep) -> dict[str, object]:
    if step.code is None:
        return {"code": None}
    if step.code.inline is None:
        return {"code": f"ConfigMap {step.code.config_map} ({step.code.digest.removeprefix('sha256:')[:12]})"}
    return {f"code {name}": f"{len(text)} characters: {text}" for name, text in step.code.inline.items()}


def _outputs(step: PlannedStep) -> dict[str, object]:
    return {
        f"output {one.name}": (
            f"datastore {one.datastore}, optional {one.optional}, directory {one.directory}, path {one.path}"
        )
        for one in step.outputs
    }


_PARTS: Mapping[str, Callable[[PlannedStep], Mapping[str, object]]] = {
    "image": lambda step: {"image": step.image},
    "command": lambda step: _words("command", step.command),
    "args": lambda step: _words("args", step.args),
    "env": lambda step: {f"env {one['name']}": dict(one) for one in step.env},
    "envFrom": lambda step: {"envFrom": [dict(one) for one in step.env_from]},
    "code": _code,
    "outputs": _outputs,
    "register": lambda step: {
        f"output {one.name}": one.register.dataset if one.register else None for one in step.outputs
    },
    "transforms": lambda step: {
        f"transforms of {one.name}": [dict(t) for t in one.transforms] for one in step.inputs
    },
    "shards": lambda step: {"shards": step.shards},
    "mountPaths": lambda step: {f"path of {one.name}": one.path for one in step.inputs},
}
