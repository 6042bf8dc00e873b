"""Clusters that claim one place in a store at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.owner import Owner, claim
from towpath_mover.stores import Store


def claimed(store: Store, owner: Owner) -> Reason | None:
    """Why the owner was not let in; None if it was."""
    try:
        claim(store, owner)
    except MoverFailure as failed:
        return failed.reason
    return None


def claimed_at_once(store: Store, turn: int) -> list[Reason | None]:
    """What four owners are told who claim a place at the same time."""
    owners = [Owner(f"cluster-{number}", f"turn-{turn}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        return sorted(pool.map(claimed, [store] * 4, owners), key=str)
