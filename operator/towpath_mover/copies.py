"""What is copied of a source, and when it need not be: files below `copies/`, an inventory of them, `latest.json`.

A copy is there when its inventory is, and found when `latest.json` names it; nothing that was written is written again.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from towpath.flow import store_keys
from towpath_mover.copy_upload import StreamedFile, send
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_writer import write_inventory
from towpath_mover.objects import (
    commit_object,
    delete_object,
    object_state,
    open_inventory,
    read_object,
    write_object,
)
from towpath_mover.progress import Progress
from towpath_mover.stores import Store

FORMAT_VERSION = 1
# What is said of what an archive holds: it stays true as long as the archive stays what it is.
OF_CONTENT = frozenset(
    {reason for reason in Reason if reason.name.startswith("ARCHIVE_")}
    | {Reason.UNSAFE_PATH, Reason.UNDECODABLE_NAME, Reason.DUPLICATE_PATH, Reason.FILE_AND_FOLDER}
)
# A newer mover may read what an older one refused.
_FORGET_SECONDS = 86_400


class Copy(NamedTuple):
    """A copy: the state of the source that it is of, its name among the source's copies, its inventory's digest.

    Of a state that was refused there is no copy but `refused`, what was said then.
    """

    state: Mapping[str, Any]
    name: str = ""
    digest: str = ""
    refused: MoverFailure | None = None


class Copies:
    """All copies of one source (`store_keys.copied_source`)."""

    def __init__(self, store: Store, namespace: str, source: str, scratch: Path) -> None:
        self._store = store
        self._scratch = scratch
        self._folder = store_keys.copies_prefix(namespace, source)

    def latest(self) -> Copy | None:
        """Return what became of the state that was seen last: a whole copy, or a refusal of no more than a day ago.

        What a sweep has condemned is not taken up: it may be deleted at any time (docs/reference/sweep.md).
        """
        try:
            found = json.loads(read_object(self._store, store_keys.latest_copy_key(self._folder)))
            if "refused" in found:
                return _refusal(found)
            copy = Copy(found["state"], found["copy"], found["digest"])
            is_whole = self._is_whole(copy) and not self._is_condemned(copy)
        except MoverFailure as failed:
            if failed.reason is Reason.OBJECT_NOT_FOUND:
                return None
            raise
        except (ValueError, KeyError, TypeError):
            return None
        return copy if is_whole else None

    def make(self, files: Iterable[StreamedFile], state: Callable[[], Mapping[str, Any]], what: str) -> Copy:
        """Write a new copy of these files, and make it the latest; all of `state` is known when all is read."""
        name = secrets.token_hex(16)
        try:
            digest = self._write(files, name, Progress(f"copy of {what}"))
        except MoverFailure as failed:
            # Without this, what is refused again and again would fill the store, and be read again and again.
            with suppress(MoverFailure):
                self._remove(name)
                if failed.reason in OF_CONTENT:
                    told = {"reason": failed.reason, "message": failed.message, "at": time.time()}
                    self._note(state(), {"refused": told})
            raise
        copy = Copy(state(), name, digest)
        self._note(copy.state, {"copy": name, "digest": digest})
        return copy

    def root(self, copy: Copy) -> Root:
        """Return where the files of a copy lie."""
        return Root(self._store.datastore.name, store_keys.copy_data_prefix(self._folder, copy.name))

    def entries(self, copy: Copy) -> Iterator[Entry]:
        """Yield the files of a copy, in order."""
        key = store_keys.copy_inventory_key(self._folder, copy.name)
        return open_inventory(self._store, key, copy.digest, self._scratch).entries()

    def _is_condemned(self, copy: Copy) -> bool:
        return object_state(self._store, store_keys.condemned_copy_key(self._folder, copy.name)) is not None

    def _is_whole(self, copy: Copy) -> bool:
        """Whether as much is there as was copied: what somebody deleted would be missed by every step, for ever."""
        files = size = 0
        for found in self._store.list_objects(store_keys.copy_data_prefix(self._folder, copy.name)):
            files, size = files + 1, size + found.size
        for entry in self.entries(copy):
            files, size = files - 1, size - entry.size
        return files >= 0 and size >= 0

    def _write(self, files: Iterable[StreamedFile], name: str, progress: Progress) -> str:
        prefix = store_keys.copy_data_prefix(self._folder, name)
        file = self._scratch / f"copy-{name}"
        try:
            root = Root(self._store.datastore.name, prefix)
            written = write_inventory(file, [root], send(files, self._store, prefix, progress))
            commit_object(self._store, store_keys.copy_inventory_key(self._folder, name), file)
        finally:
            file.unlink(missing_ok=True)
        return written.summary.digest

    def _note(self, state: Mapping[str, Any], what: Mapping[str, Any]) -> None:
        document = {"formatVersion": FORMAT_VERSION, "state": dict(state), **what}
        write_object(self._store, store_keys.latest_copy_key(self._folder), json.dumps(document).encode())

    def _remove(self, name: str) -> None:
        for found in self._store.list_objects(store_keys.copy_data_prefix(self._folder, name)):
            delete_object(self._store, found.key)


def _refusal(found: Mapping[str, Any]) -> Copy | None:
    told = found["refused"]
    if time.time() - told["at"] > _FORGET_SECONDS:
        return None
    return Copy(found["state"], refused=MoverFailure(Reason(told["reason"]), told["message"]))
