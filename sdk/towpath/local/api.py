"""A folder that answers as an API server would: what the operator's passes read and write in a local workspace.

Objects of users lie in files; Jobs and their pods live as long as the process that runs them, in its memory.
"""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable, Iterable
from typing import NamedTuple

from towpath.backend import Kind
from towpath.errors import AlreadyExistsError as Taken
from towpath.errors import InvalidObjectError
from towpath.errors import NotFoundError as Missing
from towpath.local.objects import ObjectFolder, StaleError, merged, utc_text
from towpath.local.places import NAMESPACE
from towpath_operator.cluster import resources
from towpath_operator.cluster.api import (
    REQUEST_SECONDS,
    AlreadyExistsError,
    ApiError,
    ConflictError,
    Json,
    NotFoundError,
    Query,
)
from towpath_operator.cluster.resources import Resource

_STORED = {
    of.plural: (of, Kind(of.kind)) for of in (*resources.OURS, resources.CONFIG_MAPS, resources.POD_TEMPLATES)
}
_CHILDREN = {of.plural: of for of in (resources.JOBS, resources.PODS)}
_PATH = re.compile(r".*/namespaces/[^/]+/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[a-z]+))?")


class _Asked(NamedTuple):
    plural: str
    name: str
    sub: str | None


class LocalApi:
    """`towpath_operator.cluster.api.Api` over a folder. `begun` and `ended` are told of Jobs and pods."""

    def __init__(self, objects: ObjectFolder) -> None:
        self.objects = objects
        self.children: dict[str, dict[str, Json]] = {plural: {} for plural in _CHILDREN}
        self.begun: Callable[[Json], None] = lambda _: None
        self.ended: Callable[[Json, int | None], None] = lambda *_: None
        self._versions = itertools.count(1)

    async def get(self, path: str, query: Query | None = None, timeout: float = REQUEST_SECONDS) -> Json:  # noqa: ARG002
        """Read one object, or a list."""
        asked = _asked(path)
        if not asked.name:
            return self._list(asked.plural, dict(query or {}))
        found = self._read(asked)
        if found is None:
            raise NotFoundError(404, "NotFound", f"{asked.plural} {asked.name!r} not found")
        return found

    async def create(
        self,
        path: str,
        body: Json,
        query: Query | None = None,
        timeout: float = REQUEST_SECONDS,  # noqa: ARG002
    ) -> Json:
        """Create an object."""
        plural = _asked(path).plural
        if (plural not in _STORED and plural not in _CHILDREN) or (query or {}).get("dryRun"):
            # Events are said in the status too; and nothing here refuses a pod.
            return body
        if plural in _CHILDREN:
            return self._create_job(body)
        try:
            return self.objects.create(body)
        except Taken as error:
            raise AlreadyExistsError(409, "AlreadyExists", str(error)) from error
        except InvalidObjectError as error:
            raise ApiError(422, "Invalid", str(error)) from error

    async def update(self, path: str, body: Json, timeout: float = REQUEST_SECONDS) -> Json:  # noqa: ARG002
        """Replace an object."""
        return self._edit(_asked(path), lambda _: body, body["metadata"].get("resourceVersion"))

    async def patch(self, path: str, body: Json, timeout: float = REQUEST_SECONDS) -> Json:  # noqa: ARG002
        """Merge into an object, or into its status alone."""
        asked = _asked(path)
        wanted = {"status": body.get("status")} if asked.sub == "status" else _without(body, "status")
        version = (body.get("metadata") or {}).get("resourceVersion")
        return self._edit(asked, lambda there: _merge(there, wanted), version)

    async def delete(self, path: str, options: Json, timeout: float = REQUEST_SECONDS) -> Json:  # noqa: ARG002
        """Delete an object; of a Job or pod, what runs of it ends within the grace."""
        asked = _asked(path)
        uid = (options.get("preconditions") or {}).get("uid")
        if asked.plural in _CHILDREN:
            there = self.children[asked.plural].get(asked.name)
            if there is None or uid not in (None, there["metadata"]["uid"]):
                raise NotFoundError(404, "NotFound", f"{asked.plural} {asked.name!r} not found")
            self.ended(there, options.get("gracePeriodSeconds"))
            return there
        if self.objects.remove(_STORED[asked.plural][1], asked.name, uid) is None:
            raise NotFoundError(404, "NotFound", f"{asked.plural} {asked.name!r} not found")
        return {}

    def put_child(self, of: Resource, item: Json) -> Json:
        """Store a Job or pod as it is now."""
        item["metadata"]["resourceVersion"] = str(next(self._versions))
        self.children[of.plural][item["metadata"]["name"]] = item
        return item

    def forget_child(self, of: Resource, item: Json) -> None:
        """A Job or pod is gone."""
        there = self.children[of.plural].get(item["metadata"]["name"])
        if there is not None and there["metadata"]["uid"] == item["metadata"]["uid"]:
            del self.children[of.plural][item["metadata"]["name"]]

    def _create_job(self, body: Json) -> Json:
        name = body["metadata"]["name"]
        if name in self.children[resources.JOBS.plural]:
            raise AlreadyExistsError(409, "AlreadyExists", f"Job {name} exists already")
        meta = body["metadata"] | {"uid": str(uuid.uuid4()), "creationTimestamp": utc_text(), "generation": 1}
        # No queue admits it here: what could wait for one is listed before the run starts.
        spec = _without(body["spec"], "suspend")
        made = self.put_child(resources.JOBS, body | {"metadata": meta, "spec": spec, "status": {}})
        self.begun(made)
        return made

    def _read(self, asked: _Asked) -> Json | None:
        if asked.plural in _CHILDREN:
            return self.children[asked.plural].get(asked.name)
        return self.objects.read(_STORED[asked.plural][1], asked.name) if asked.plural in _STORED else None

    def _list(self, plural: str, query: dict[str, str]) -> Json:
        items: Iterable[Json] = ()
        if plural in _CHILDREN:
            items = self.children[plural].values()
        elif plural in _STORED:
            items = self.objects.list_objects(_STORED[plural][1])
        wanted = _labels(query.get("labelSelector", ""))
        chosen = [one for one in items if wanted.items() <= (one["metadata"].get("labels") or {}).items()]
        return {"metadata": {"resourceVersion": str(self.objects.version())}, "items": chosen}

    def _edit(self, asked: _Asked, change: Callable[[Json], Json], version: str | None) -> Json:
        try:
            return self.objects.edit(_STORED[asked.plural][1], asked.name, change, version)
        except Missing as error:
            raise NotFoundError(404, "NotFound", str(error)) from error
        except StaleError as error:
            raise ConflictError(409, "Conflict", str(error)) from error
        except InvalidObjectError as error:
            raise ApiError(422, "Invalid", str(error)) from error


def _merge(there: Json, patch: Json) -> Json:
    made: Json = merged(there, patch)
    # The version of the patch was its precondition.
    made["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
    return made


def _asked(path: str) -> _Asked:
    found = _PATH.fullmatch(path)
    if found is None:
        raise ApiError(404, "NotFound", f"a local workspace has no {path}, only namespace {NAMESPACE}")
    return _Asked(found["plural"], found["name"] or "", found["sub"])


def _labels(selector: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in selector.split(",") if part)


def _without(body: Json, name: str) -> Json:
    return {key: value for key, value in body.items() if key != name}
