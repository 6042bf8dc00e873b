"""The promise that publishing will be allowed: one object is written and deleted where each output will lie.

Where an output is to be exported to, nothing may lie that is not its own.

Ten hours of work must not meet a refused key at their end. It runs beside the downloads.
"""

from __future__ import annotations

from threading import Thread

from towpath.flow import store_keys
from towpath_mover.objects import delete_object, write_object
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import OutputOrder, StepOrder
from towpath_mover.stores import Store

_TIME_TO_DELETE = 10.0
CONTENT = b"Written by Towpath to see whether it may write here. It can be deleted.\n"


class WriteChecks:
    """The checks of all places that the attempt will write to, under way since they were made."""

    def __init__(self, order: StepOrder, stores: OpenStores) -> None:
        self._failures: list[BaseException] = []
        self._threads = [
            Thread(target=self._check, args=(stores.store(datastore), key), daemon=True)
            for datastore, key in sorted(_places(order))
        ]
        self._threads += [
            Thread(
                target=self._check_export,
                args=(order, output, stores.store(output.export.datastore)),
                daemon=True,
            )
            for output in order.outputs
            if output.export
        ]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait for all of them; the first refusal rises."""
        for thread in self._threads:
            thread.join()
        self.raise_refusal()

    def raise_refusal(self) -> None:
        """Raise a refusal that is known by now, once the others have deleted what they wrote, or had time to."""
        if self._failures:
            for thread in self._threads:
                thread.join(_TIME_TO_DELETE)
            raise self._failures[0]

    def _check_export(self, order: StepOrder, output: OutputOrder, store: Store) -> None:
        # Few steps export, and all of them wait for what is loaded.
        from towpath_mover.export_claim import Claim, check  # noqa: PLC0415

        try:
            folder = output.export.folder if output.export else ""
            run = order.namespace, order.run, order.run_uid
            check(store, folder, Claim(*run, order.step, output.name, order.retried_uid))
        except BaseException as failure:
            self._failures.append(failure)
        else:
            self._check(store, store_keys.export_check_prefix(folder) + order.attempt_id)

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
    return {
        (datastore, store_keys.write_check_key(prefix, order.attempt_id)) for datastore, prefix in prefixes
    }
