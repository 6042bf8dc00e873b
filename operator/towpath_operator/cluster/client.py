"""Requests to the Kubernetes API: the official client's credentials, TLS and pool; plain dicts in and out.

Typed models of that client cost five to nine times the CPU per object; nothing here needs them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from towpath_operator.cluster.api import REQUEST_SECONDS, Json, Query, TryAgainError, error_of

CONNECT_SECONDS = 5.0
# Bookmarks come about once a minute: a watch that says nothing for longer hangs on a dead connection.
SILENCE_SECONDS = 90.0
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
FIELD_MANAGER = "towpath-operator"

_MANAGED = {"fieldManager": FIELD_MANAGER}


@dataclass(frozen=True)
class Request:
    """One request; `verb` is Kubernetes' word for it."""

    verb: str
    method: str
    path: str
    query: Query | None = None
    body: Json | None = None
    content: str = JSON


class Client:
    """One connection pool with one identity. `count` is told verb and code of every call."""

    def __init__(
        self, configuration: Configuration, count: Callable[[str, str], None] = lambda *_: None
    ) -> None:
        self.configuration = configuration
        self._api = ApiClient(configuration)
        self._count = count

    async def close(self) -> None:
        """Give back all connections."""
        await self._api.close()

    async def get(self, path: str, query: Query | None = None, timeout: float = REQUEST_SECONDS) -> Json:
        """Read one object, or one page of a list."""
        verb = "list" if query and "limit" in query else "get"
        return await self._call(Request(verb, "GET", path, query), timeout)

    async def create(
        self, path: str, body: Json, query: Query | None = None, timeout: float = REQUEST_SECONDS
    ) -> Json:
        """Create an object; the answer is the object as stored."""
        return await self._call(Request("create", "POST", path, {**_MANAGED, **(query or {})}, body), timeout)

    async def update(self, path: str, body: Json, timeout: float = REQUEST_SECONDS) -> Json:
        """Replace an object; metadata.resourceVersion in it is the precondition."""
        return await self._call(Request("update", "PUT", path, _MANAGED, body), timeout)

    async def patch(self, path: str, body: Json, timeout: float = REQUEST_SECONDS) -> Json:
        """Merge into an object (RFC 7386); metadata.resourceVersion in it is a precondition."""
        return await self._call(Request("patch", "PATCH", path, _MANAGED, body, MERGE_PATCH), timeout)

    async def delete(self, path: str, options: Json, timeout: float = REQUEST_SECONDS) -> Json:
        """Delete an object with these DeleteOptions."""
        return await self._call(Request("delete", "DELETE", path, None, options), timeout)

    async def watch(self, path: str, query: Query, timeout: float) -> AsyncIterator[Json]:
        """Stream events until the server ends the watch; too long a silence is a TryAgainError."""
        limits = aiohttp.ClientTimeout(total=timeout, connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        request = Request("watch", "GET", path, {**query, "watch": "true"})
        try:
            async with await self._send(request, limits) as response:
                await _raise_for(response)
                async for line in response.content:
                    yield json.loads(line)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._unreachable(request, error) from error

    async def _call(self, request: Request, timeout: float) -> Json:
        limits = aiohttp.ClientTimeout(total=timeout, connect=min(CONNECT_SECONDS, timeout))
        try:
            async with await self._send(request, limits) as response:
                await _raise_for(response)
                answer: Json = json.loads(await response.read())
                return answer
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._unreachable(request, error) from error

    async def _send(self, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        headers = {"Accept": JSON, "Content-Type": request.content, "User-Agent": FIELD_MANAGER}
        await self._api.update_params_for_auth(
            headers, [], ["BearerToken"], request.path, request.method, request.body
        )
        url = self.configuration.host + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        answer = await self._api.rest_client.request(
            request.method, url, headers=headers, body=request.body, _request_timeout=limits
        )
        response: aiohttp.ClientResponse = answer.response
        self._count(request.verb, str(response.status))
        return response

    def _unreachable(self, request: Request, error: Exception) -> TryAgainError:
        self._count(request.verb, "none")
        said = str(error) or type(error).__name__
        message = f"{request.verb} {request.path}: no usable answer from {self.configuration.host}: {said}"
        return TryAgainError(0, "Unreachable", message)


async def load_configuration() -> Configuration:
    """Credentials of the pod where there are some, else of KUBECONFIG; each client takes its own copy."""
    configuration = Configuration()
    try:
        config.load_incluster_config(configuration)
    except config.ConfigException:
        await config.load_kube_config(client_configuration=configuration)
    return configuration


@dataclass(frozen=True)
class Credentials:
    """What another client needs to reach the same API server as the same identity."""

    server: str
    token: str | None
    ca_path: str | None
    certificate_path: str | None
    private_key_path: str | None
    insecure: bool


async def read_credentials() -> Credentials:
    """The credentials as they are now: a token that was rotated is read again."""
    configuration = await load_configuration()
    key = await configuration.get_api_key_with_prefix("BearerToken")
    return Credentials(
        server=configuration.host,
        token=key.split(" ", 1)[-1].strip() if key else None,
        ca_path=configuration.ssl_ca_cert,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        insecure=not configuration.verify_ssl,
    )


async def _raise_for(response: aiohttp.ClientResponse) -> None:
    if response.status < 400:
        return
    text = await response.text(errors="replace")
    raise error_of(response.status, text, response.headers.get("Retry-After"))
