"""A judge of a bucket by the JSON API of Google Cloud Storage, which movers do not speak."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

_HTTP = urllib3.PoolManager(retries=False)


@dataclass(frozen=True)
class JsonApi:
    """The bucket at a server that asks for no token."""

    endpoint: str
    bucket: str

    def make_bucket(self) -> None:
        document = {"name": self.bucket, "versioning": {"enabled": True}}
        self._ask("POST", "/storage/v1/b?project=tests", json.dumps(document).encode(), "application/json")

    def put(self, key: str, content: bytes) -> None:
        query = urlencode({"uploadType": "media", "name": key})
        self._ask("POST", f"/upload/storage/v1/b/{self.bucket}/o?{query}", content)

    def get(self, key: str) -> bytes:
        return self._ask("GET", f"/storage/v1/b/{self.bucket}/o/{quote(key, safe='')}?alt=media")

    def begin(self, key: str) -> None:
        """Begin an upload by the JSON API, which the XML API does not list."""
        query = urlencode({"uploadType": "resumable", "name": key})
        self._ask("POST", f"/upload/storage/v1/b/{self.bucket}/o?{query}", b"{}", "application/json")

    def begun(self, prefix: str) -> list[str]:  # noqa: ARG002 - of every judge
        return []

    def keys(self, prefix: str) -> list[str]:
        answer = self._ask("GET", f"/storage/v1/b/{self.bucket}/o?{urlencode({'prefix': prefix})}")
        found: dict[str, Any] = json.loads(answer)
        return [item["name"] for item in found.get("items", ())]

    def _ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/octet-stream"
    ) -> bytes:
        headers = {"Content-Type": kind}
        answer = _HTTP.request(method, self.endpoint + path, body=body, headers=headers)
        assert answer.status < 300, (answer.status, answer.data)
        return answer.data
