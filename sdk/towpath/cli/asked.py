"""An annotation that asks the operator for something, and the wait until its object's status says that it answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from towpath.backend import Backend, Manifest
from towpath.cli.nouns import Noun
from towpath.errors import NotFoundError, WaitTimeoutError
from towpath.flow import names


@dataclass(frozen=True)
class Question:
    """The annotation that asks, and the field of the status that says which value of it was answered."""

    annotation: str
    answered: str


LOOK = Question(names.REQUESTED_AT_ANNOTATION, "requestedAt")
SWEEP = Question(names.SWEEP_ANNOTATION, "sweepRequested")


def now_text() -> str:
    """A value that nobody has asked by before."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def ask(backend: Backend, noun: Noun, name: str, question: Question, value: str) -> None:
    """Ask by this value."""
    backend.patch(noun.kind, name, {"metadata": {"annotations": {question.annotation: value}}})


def answer(
    backend: Backend, noun: Noun, name: str, asked: tuple[Question, str], timeout_seconds: float
) -> Manifest:
    """The object once its status has answered; WaitTimeoutError, NotFoundError if it goes meanwhile."""
    question, value = asked
    seen = False
    for manifest in backend.watch(noun.kind, name, timeout_seconds):
        seen = True
        if (manifest.get("status") or {}).get(question.answered) == value:
            return manifest
    if not seen or backend.get(noun.kind, name) is None:
        raise NotFoundError(f"{noun.word.capitalize()} {name} is gone from {backend.where}.")
    raise WaitTimeoutError(
        f"{noun.word.capitalize()} {name} was not looked at within {timeout_seconds:g} s in {backend.where}: what was "
        f"asked for still stands. `towpath doctor` says whether an operator is at work there."
    )
