"""The official client's connection and credentials, with plain dicts in and out: nothing here needs its models."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException

from towpath.backend import Manifest
from towpath.cluster.refusals import Refusal, error_of, read_refusal
from towpath.errors import TowpathError, UnreachableError

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 30.0
FIELD_MANAGER = "towpath"
PAGE = 500
_PAUSES = (0.5, 1.0, 2.0)


class RefusedError(Exception):
    """The API server refused a request: `of` makes of it what users see."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Answer(Protocol):
    """An answer whose body is still to be read."""

    status: int

    def read(self) -> bytes: ...
    def stream(self, amt: int) -> Iterator[bytes]: ...
    def release_conn(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Request:
    """One request to the API server; `doing` are the words for it in errors."""

    method: str
    path: str
    doing: str
    query: Mapping[str, str | int] | None = None
    body: Any = None
    content: str = JSON


class Client:
    """One connection pool with one identity."""

    def __init__(self, api: ApiClient, where: str) -> None:
        self.api = api
        self.where = where

    def get(self, path: str, doing: str, query: Mapping[str, str | int] | None = None) -> Manifest:
        """Read one object or page; what may pass is tried again."""
        request = Request("GET", path, doing, query)
        for pause in (*_PAUSES, None):
            try:
                return self._call(request)
            except RefusedError as refused:
                if pause is None or not refused.refusal.may_pass:
                    raise
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def list_all(self, path: str, doing: str, query: Mapping[str, str] | None = None) -> list[Manifest]:
        """All objects of a collection, page by page."""
        pages: dict[str, str | int] = {**(query or {}), "limit": PAGE}
        items: list[Manifest] = []
        while True:
            page = self.get(path, doing, pages)
            items.extend(page.get("items") or ())
            following = page["metadata"].get("continue")
            if not following:
                return items
            pages["continue"] = following

    def send(self, request: Request) -> Manifest:
        """Create, replace, patch or delete. It is sent once: the answer of a lost connection may be 'done'."""
        managed = {} if request.method == "DELETE" else {"fieldManager": FIELD_MANAGER}
        query = {**managed, **(request.query or {})}
        return self._call(
            Request(request.method, request.path, request.doing, query, request.body, request.content)
        )

    @contextmanager
    def stream(self, request: Request, silence_seconds: float) -> Iterator[Answer]:
        """Begin to read an answer of any length: a log, or a watch."""
        answer = self._begin(request, silence_seconds)
        try:
            _raise_for(answer)
            yield answer
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(request, error) from error
        finally:
            # Not to be used again: there may be more of it.
            answer.close()

    def error(self, refused: RefusedError, doing: str) -> TowpathError:
        """What users see of a refusal."""
        return error_of(refused.refusal, doing, self.where)

    def _call(self, request: Request) -> Manifest:
        answer = self._begin(request, REQUEST_SECONDS)
        try:
            _raise_for(answer)
            told: Manifest = json.loads(answer.read())
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise self._unreachable(request, error) from error
        finally:
            answer.release_conn()
        return told

    def _begin(self, request: Request, read_seconds: float) -> Answer:
        query = [(key, value) for key, value in (request.query or {}).items()]
        headers = {"Accept": JSON, "Content-Type": request.content}
        serialized = self.api.param_serialize(
            request.method, request.path, {}, query, headers, request.body, auth_settings=["BearerToken"]
        )
        method, url, sent, body, _ = serialized
        try:
            begun = self.api.rest_client.request(
                method, url, headers=sent, body=body, _request_timeout=(CONNECT_SECONDS, read_seconds)
            )
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise self._unreachable(request, error) from error
        answer: Answer = begun.response
        return answer

    def _unreachable(self, request: Request, error: Exception) -> UnreachableError:
        said = str(getattr(error, "reason", None) or error) or type(error).__name__
        host = self.api.configuration.host
        message = f"Could not {request.doing} in {self.where}: no usable answer from {host} ({said})."
        return UnreachableError(f"{message} Is the cluster up, and can this machine reach it?")


def _raise_for(answer: Answer) -> None:
    if answer.status >= 400:
        raise RefusedError(read_refusal(answer.status, answer.read()))
