"""The objects of one kind as last seen: the newest version wins, of a list, a watch or an answer.

An answer that is put in at once gives read-your-writes: the watch's copy of it changes nothing when it comes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from towpath_operator.cluster.resources import Key, Resource

Json = dict[str, Any]

_REMEMBERED_DELETIONS = 4096


def _as_it_is(item: Json) -> Json:
    return item


def owners_of(item: Json) -> list[str]:
    """The UIDs that an object names as its owners."""
    return [owner["uid"] for owner in item["metadata"].get("ownerReferences", ())]


class Store:
    """Objects of `resource` by key. `project` slims them; `changed` hears of each difference.

    `owners` are the UIDs by which an object is found beside its name.
    """

    def __init__(
        self,
        resource: Resource,
        changed: Callable[[Json], None],
        project: Callable[[Json], Json] = _as_it_is,
        owners: Callable[[Json], list[str]] = owners_of,
    ) -> None:
        self.resource = resource
        self._changed, self.project, self._owners = changed, project, owners
        self._items: dict[Key, Json] = {}
        self._owned: dict[str, set[Key]] = {}
        self._deleted: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, namespace: str, name: str) -> Json | None:
        """The object of this name, if it was seen."""
        return self._items.get(Key(self.resource.kind, namespace, name))

    def all(self, namespace: str | None = None) -> Iterator[Json]:
        """All objects, or those of one namespace."""
        return (item for key, item in list(self._items.items()) if namespace in (None, key.namespace))

    def owned_by(self, uid: str) -> list[Json]:
        """The objects that name this UID as an owner, by name."""
        return [self._items[key] for key in sorted(self._owned.get(uid, ()))]

    def put(self, item: Json) -> bool:
        """Take in a version of an object; False if this or a newer one is here, or its deletion was seen."""
        return self._put(item, self.project)

    def _put(self, item: Json, project: Callable[[Json], Json]) -> bool:
        key, known = self.resource.key(item), None
        if item["metadata"]["uid"] in self._deleted:
            return False
        known = self._items.get(key)
        if known is not None and version_of(known) >= version_of(item):
            return False
        slim = project(item)
        self._unlink(key)
        self._items[key] = slim
        for uid in self._owners(slim):
            self._owned.setdefault(uid, set()).add(key)
        self._changed(slim)
        return True

    def remove(self, item: Json) -> bool:
        """Take out an object that was deleted; False if another object has its name by now, or none."""
        self._deleted[item["metadata"]["uid"]] = None
        if len(self._deleted) > _REMEMBERED_DELETIONS:
            self._deleted.popitem(last=False)
        key = self.resource.key(item)
        known = self._items.get(key)
        if known is None or known["metadata"]["uid"] != item["metadata"]["uid"]:
            return False
        self._unlink(key)
        del self._items[key]
        self._changed(known)
        return True

    def replace(self, items: Iterable[Json], version: int, namespace: str | None) -> int:
        """Take in a whole list made at `version`, slim already; what it lacks was deleted.

        Returns the number of differences.
        """
        differences, listed = 0, set()
        for item in items:
            listed.add(self.resource.key(item))
            differences += self._put(item, _as_it_is)
        for known in self.all(namespace):
            if self.resource.key(known) not in listed and version_of(known) <= version:
                differences += self.remove(known)
        return differences

    def _unlink(self, key: Key) -> None:
        known = self._items.get(key)
        for uid in self._owners(known) if known else ():
            self._owned[uid].discard(key)
            if not self._owned[uid]:
                del self._owned[uid]


def version_of(item: Json) -> int:
    """An object's resourceVersion; since Kubernetes 1.35 the API promises that they compare as numbers."""
    return int(item["metadata"]["resourceVersion"])
