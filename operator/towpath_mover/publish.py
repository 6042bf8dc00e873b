"""`publish`: what came through the FIFO and what lies at the outputs' paths → objects, inventories, and the result.

Publish or nothing: the data first, each output's inventory after its data, the attempt's `result` last. A step that
did not end with 0 publishes nothing; one that did is published in spite of SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from towpath.flow import store_keys
from towpath_mover import report
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Root, Summary
from towpath_mover.inventory_writer import WrittenInventory, write_inventory
from towpath_mover.metrics import read_metrics
from towpath_mover.objects import commit_object
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import StepOrder, step_order
from towpath_mover.outputs import FoundFile, FoundOutput, by_path
from towpath_mover.owed import Owed, look
from towpath_mover.pack_upload import Prefixes, upload_packed
from towpath_mover.pod_paths import PodPaths, pod_paths
from towpath_mover.progress import Progress
from towpath_mover.stores import Store
from towpath_mover.upload import LocalFile, upload

# What the waiting shell hands over: the text of the FIFO, and a dot that keeps its newlines.
WELL = "0\n."
CREDENTIALS_PAUSE = 10.0

Done = TypeVar("Done")


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> report.Report:
    """Publish one attempt and report its outputs and metrics, or refuse."""
    started = time.monotonic()
    stopped = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    paths = pod_paths(environ)
    order = step_order(paths, environ)
    if order.mounted:
        # Before the command's end is judged: whose mount was lost could not end well.
        from towpath_mover.mount_loss import check_kept  # noqa: PLC0415 - few steps have mounts

        check_kept(order.mounted, paths)
    _check_end(arguments[0] if arguments else ".")
    # All are looked at before the first byte is sent: a refusal should not come after an hour of upload.
    owed = look(order.outputs, paths)
    outputs = [_until_accepted(partial(_publish, output, order, paths), stopped) for output in owed]
    result: report.Report = {
        "attempt": order.attempt_id,
        "outputs": outputs,
        "metrics": read_metrics(paths.metrics),
    }
    if order.shard:
        result["shard"] = order.shard.number
    result["seconds"] = round(time.monotonic() - started, 3)
    if order.outputs:
        _until_accepted(partial(_write_result, result, order, paths), stopped)
    return result


def _check_end(said: str) -> None:
    if said == WELL:
        return
    text = said.removesuffix(".").strip()
    code, _, why = text.partition(" ")
    if why == "timeout":
        message = (
            "The command ran longer than the step's timeoutSeconds and was stopped; nothing was published."
        )
        raise MoverFailure(Reason.STEP_TIMED_OUT, message)
    raise MoverFailure(Reason.NOT_PUBLISHED, f"Nothing was published: {_end(text, code, why)}.")


def _end(text: str, code: str, why: str) -> str:
    if not text:
        return (
            "the step was killed before it could say how it ended (out of memory, or its pod was taken away)"
        )
    if not code.isdigit() or code == "0" or why not in ("", "terminated"):
        return f"the step's end was reported as {text[:40]!a}, which the launcher never says"
    told = " after it was told to stop" if why else ""
    return f"the command ended with exit code {code}{told}"


def _until_accepted(action: Callable[[], Done], stopped: Event) -> Done:
    """Do it again as long as credentials are refused: the step's work is done, and a Secret can be corrected."""
    while True:
        try:
            return action()
        except MoverFailure as failed:
            if failed.exit is not Exit.CREDENTIALS_REFUSED or stopped.is_set():
                raise
            sys.stderr.write(
                f"{failed.reason}: {failed.message} Trying again every {CREDENTIALS_PAUSE:.0f} s.\n"
            )
            sys.stderr.flush()
            stopped.wait(CREDENTIALS_PAUSE)


def _publish(owed: Owed, order: StepOrder, paths: PodPaths) -> dict[str, Any]:
    started = time.monotonic()
    output = owed.order
    # Opened anew for each output and each try: the credentials may have been changed since.
    store = OpenStores(order.datastores, paths.places).store(output.datastore)
    key = store_keys.output_inventory_key(output.prefix, order.attempt_id, output.name)
    file = paths.scratch / f"inventory-{os.getpid()}-{output.name}"
    try:
        summary = _send(owed, order, store, file).summary
        _check_count(owed, summary)
        commit_object(store, key, file)
    finally:
        file.unlink(missing_ok=True)
    seconds = time.monotonic() - started
    return report.written_output(output, key, summary, directory=owed.found.directory, seconds=seconds)


def _send(owed: Owed, order: StepOrder, store: Store, file: Path) -> WrittenInventory:
    output = owed.order
    prefix = store_keys.output_data_prefix(output.prefix, order.attempt_id, output.name)
    progress = Progress(f"output {output.name}", owed.files, owed.bytes)
    if not output.packed:
        entries = upload(_files(owed.found.files(), owed.found), store, prefix, progress)
        return write_inventory(file, [Root(output.datastore, prefix)], entries)
    prefixes = Prefixes(prefix, store_keys.output_packs_prefix(output.prefix, order.attempt_id, output.name))
    found = by_path(owed.found.files(), file.parent)
    entries = upload_packed(_files(found, owed.found), store, prefixes, progress)
    return write_inventory(file, [Root(output.datastore, place) for place in prefixes], entries)


def _check_count(owed: Owed, sent: Summary) -> None:
    """Refuse an output that lost or gained files since it was judged: what runs on may have taken half of it away."""
    if (sent.files, sent.bytes) == (owed.files, owed.bytes):
        return
    message = (
        f"Output {owed.order.name!r} changed while it was published: it had {owed.files} files and {owed.bytes} bytes,"
        f" then {sent.files} files and {sent.bytes} bytes. Let nothing run on that writes when the command ends."
    )
    raise MoverFailure(Reason.OUTPUT_CHANGED, message)


def _files(files: Iterable[FoundFile], found: FoundOutput) -> Iterator[LocalFile]:
    for file in files:
        yield LocalFile(file.path, file.size, file.executable, partial(found.open_file, file.path))


def _write_result(result: Mapping[str, Any], order: StepOrder, paths: PodPaths) -> None:
    store = OpenStores(order.datastores, paths.places).store(order.outputs[0].datastore)
    commit_object(
        store,
        store_keys.result_key(order.result_prefix, order.attempt_id),
        report.encode(report.success(result)),
    )
