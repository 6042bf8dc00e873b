"""`claim.json` in the folder of an export: whose copy lies there → it is free, it is ours, or it is taken.

A step looks before it starts, and the mover that copies claims it: what somebody else put there is never written over.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from towpath.flow import store_keys
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import create_object, read_object, write_object
from towpath_mover.paths import shown
from towpath_mover.stores import Store

FORMAT_VERSION = 1


class Claim(NamedTuple):
    """Whose copy it is: that of one output of one step of a run; `retried` is the UID of the run that it takes up."""

    namespace: str
    run: str
    run_uid: str
    step: str
    output: str
    retried: str | None = None

    def __str__(self) -> str:
        run = f"run {self.run!a} in namespace {self.namespace!a}"
        return f"output {self.output!a} of step {self.step!a} of {run}"


def check(store: Store, folder: str, claim: Claim) -> Claim | None:
    """Return the claim of this very output, or of the same one of the run that is taken up; ExportTaken for others.

    None: nothing is there.
    """
    try:
        content = read_object(store, store_keys.export_claim_key(folder))
    except MoverFailure as failed:
        if failed.reason is not Reason.OBJECT_NOT_FOUND:
            raise
    else:
        said = _read(content)
        if said is not None and _of_output(said) == _of_output(claim) and said.run_uid == claim.retried:
            return said
        _judge(store, folder, claim, content)
        return claim
    for found in store.list_objects(f"{folder}/"):
        # Another run may look at this moment; and what some programs write for an empty folder is nothing.
        if not found.key.endswith("/") and not found.key.startswith(store_keys.export_check_prefix(folder)):
            raise _taken(store, folder, claim, f"{shown(found.key)} is there already")
    return None


def take(store: Store, folder: str, claim: Claim) -> None:
    """Claim a folder in which nothing is, or go on with what is claimed; ExportTaken if it is not ours."""
    found, key = check(store, folder, claim), store_keys.export_claim_key(folder)
    if found == claim:
        return
    if found is None:
        create_object(store, key, _written(claim))
    else:
        # From here on the copy is this run's: another run that takes up the same one loses it.
        write_object(store, key, _written(claim))
    # Whatever was answered: an answer may have been lost, and some stores replace what is there.
    confirm(store, folder, claim)


def confirm(store: Store, folder: str, claim: Claim) -> None:
    """Raise ExportTaken unless the folder is claimed by this very output of this very run."""
    _judge(store, folder, claim, read_object(store, store_keys.export_claim_key(folder)))


def _of_output(claim: Claim) -> tuple[str, str, str]:
    return claim.namespace, claim.step, claim.output


def _judge(store: Store, folder: str, claim: Claim, content: bytes) -> None:
    said = _read(content)
    if said != claim._replace(retried=None):
        whose = f"it is claimed by the {said}" if said else "its claim.json cannot be read"
        raise _taken(store, folder, claim, whose)


def _taken(store: Store, folder: str, claim: Claim, why: str) -> MoverFailure:
    message = (
        f"Output {claim.output!r} is to be exported to {store.where(f'{folder}/')}, and {why}, as {store.identity} sees"
        " it. Nothing is written over: put {run-id} into export.path, or remove what is there."
    )
    return MoverFailure(Reason.EXPORT_TAKEN, message)


def _written(claim: Claim) -> bytes:
    document = {"formatVersion": FORMAT_VERSION, "namespace": claim.namespace, "run": claim.run}
    document |= {"runUID": claim.run_uid, "step": claim.step, "output": claim.output}
    return f"{json.dumps(document)}\n".encode()


def _read(content: bytes) -> Claim | None:
    """Return whose claim it is; None where that cannot be read."""
    try:
        document = json.loads(content)
        said = [document[key] for key in ("namespace", "run", "runUID", "step", "output")]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Claim(*(word[:253] for word in said)) if all(isinstance(word, str) for word in said) else None
