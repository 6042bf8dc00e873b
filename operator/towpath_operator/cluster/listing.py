"""Whole lists, page by page: one request for everything would cost server and operator hundreds of MiB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from towpath_operator.cluster.api import Api, Query
from towpath_operator.cluster.resources import Resource

Json = dict[str, Any]

PAGE = 500


async def list_all(
    client: Api,
    resource: Resource,
    namespace: str | None,
    query: Query,
    project: Callable[[Json], Json] = lambda item: item,
) -> tuple[list[Json], str]:
    """All objects, and the version that the list was made at. A page that expired rises as GoneError.

    `project` slims each page before the next one comes: whole, a long list would not fit.
    """
    path, pages = resource.path(namespace), dict(query, limit=str(PAGE))
    items: list[Json] = []
    while True:
        page = await client.get(path, pages)
        items.extend(project(_with_type(item, resource)) for item in page.get("items") or ())
        following = page["metadata"].get("continue")
        if not following:
            return items, str(page["metadata"]["resourceVersion"])
        pages["continue"] = following


def _with_type(item: Json, resource: Resource) -> Json:
    # Lists leave it out of their items; watches have it: one form for both.
    return {"apiVersion": resource.api_version, "kind": resource.kind, **item}
