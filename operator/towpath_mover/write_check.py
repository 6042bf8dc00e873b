"""The promise that publishing will be allowed: one object is written and deleted where each output will lie.

Ten hours of work must not meet a refused key at their end. It runs beside the downloads.
"""

from __future__ import annotations

from threading import Thread

from towpath.flow import names
from towpath_mover.objects import delete_object, write_object
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import StepOrder
from towpath_mover.stores import Store

CONTENT = b"Written by Towpath to see whether it may write here. It can be deleted.\n"


class WriteChecks:
    """The checks of all places that the attempt will write to, under way since they were made."""

    def __init__(self, order: StepOrder, stores: OpenStores) -> None:
        self._failures: list[BaseException] = []
        self._threads = [
            Thread(target=self._check, args=(stores.store(datastore), key), daemon=True)
            for datastore, key in sorted(_places(order))
        ]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait for all of them; the first refusal rises."""
        for thread in self._threads:
            thread.join()
        self.raise_refusal()

    def raise_refusal(self) -> None:
        """Raise a refusal that is known by now."""
        if self._failures:
            raise self._failures[0]

    def _check(self, store: Store, key: str) -> None:
        try:
            write_object(store, key, CONTENT)
            delete_object(store, key)
        except BaseException as failure:
            # Also a panic of the store's client, which is no Exception.
            self._failures.append(failure)


def _places(order: StepOrder) -> set[tuple[str, str]]:
    prefixes = {(output.datastore, output.prefix) for output in order.outputs}
    if order.outputs:
        prefixes.add((order.outputs[0].datastore, order.result_prefix))
    return {(datastore, names.write_check_key(prefix, order.attempt_id)) for datastore, prefix in prefixes}
