"""A registry of images, asked which digest a tag stands for now: the protocol of OCI's distribution specification.

Every failure is an `UnansweredError` in words: whoever asks goes on with the tag.
"""

from __future__ import annotations

import base64
import json
import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

# An index first: it stands for the image on every architecture.
_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
# Nobody waits for a registry that a firewall hides.
_PATIENCE = urllib3.Timeout(connect=2.0, read=5.0)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PART = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_REPOSITORY = re.compile(f"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_CHALLENGED = re.compile(r'(\w+)="([^"]*)"')
_MOST_BYTES = 4 << 20
_HUB, _HUB_HOST, _HUB_KEY = "docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"


class UnansweredError(Exception):
    """Why a registry did not say which digest it is, for a sentence about the image."""


@dataclass(frozen=True)
class ImageName:
    """An image by its tag: `repository` of the registry at `host`, as container runtimes read a name."""

    host: str
    repository: str
    tag: str

    @property
    def is_here(self) -> bool:
        """Whether the registry is on this machine, where runtimes allow plain HTTP."""
        return self.host.partition(":")[0] in ("localhost", "127.0.0.1")


def image_name(image: str) -> ImageName:
    """Read the name of an image; a first part without a dot or colon is no host but a folder of Docker Hub.

    UnansweredError for what is no such name.
    """
    first, slash, rest = image.partition("/")
    is_host = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    host, path = (first, rest) if is_host else (_HUB, image)
    repository, colon, tag = path.partition(":")
    if host in (_HUB, "index.docker.io"):
        host, repository = _HUB, repository if "/" in repository else f"library/{repository}"
    name = ImageName(host, repository, tag if colon else "latest")
    if not (_REPOSITORY.fullmatch(name.repository) and _TAG.fullmatch(name.tag)):
        raise UnansweredError("it is no name and tag of an image")
    return name


def digest_of(image: ImageName) -> str:
    """Ask the image's registry, with what this user's docker or podman is logged in with there; UnansweredError."""
    addresses = [f"https://{_HUB_HOST if image.host == _HUB else image.host}"]
    if image.is_here:
        addresses.append(f"http://{image.host}")
    with urllib3.PoolManager(timeout=_PATIENCE, retries=urllib3.Retry(0, redirect=3)) as client:
        for address in addresses:
            try:
                return _digest(client, address, image)
            except urllib3.exceptions.HTTPError as error:
                why = f"{image.host} does not answer ({type(error).__name__})"
    raise UnansweredError(why)


def _digest(client: urllib3.PoolManager, address: str, image: ImageName) -> str:
    url = f"{address}/v2/{image.repository}/manifests/{image.tag}"
    headers = {"Accept": _MANIFESTS}
    answer = client.request("HEAD", url, headers=headers)
    if answer.status == 401:
        challenge = answer.headers.get("WWW-Authenticate", "")
        headers["Authorization"] = _authorization(client, challenge, image)
        answer = client.request("HEAD", url, headers=headers)
    if answer.status != 200:
        raise UnansweredError(f"{image.host} answers {answer.status} for {image.repository}:{image.tag}")
    told = answer.headers.get("Docker-Content-Digest", "")
    return told if _DIGEST.fullmatch(told) else _digest_of_content(client, url, headers, image)


def _digest_of_content(
    client: urllib3.PoolManager, url: str, headers: dict[str, str], image: ImageName
) -> str:
    """The digest of the manifest itself, where a registry leaves out the header, as it may."""
    answer = client.request("GET", url, headers=headers, preload_content=False)
    content = answer.read(_MOST_BYTES)
    if answer.status != 200 or answer.read(1):
        raise UnansweredError(f"{image.host} gives no manifest of {image.repository}:{image.tag}")
    return f"sha256:{sha256(content).hexdigest()}"


def _authorization(client: urllib3.PoolManager, challenge: str, image: ImageName) -> str:
    scheme = challenge.partition(" ")[0].lower()
    known = _login(image)
    if scheme == "basic" and known:
        return f"Basic {known}"
    asked = dict(_CHALLENGED.findall(challenge))
    if scheme != "bearer" or "realm" not in asked:
        raise UnansweredError(f"{image.host} wants a login, and this user has none there")
    return f"Bearer {_token(client, asked, known, image)}"


def _token(client: urllib3.PoolManager, asked: dict[str, str], known: str | None, image: ImageName) -> str:
    realm = urlsplit(asked["realm"])
    if realm.scheme != "https" and not image.is_here:
        raise UnansweredError(f"{image.host} gives tokens without encryption")
    fields = {"scope": f"repository:{image.repository}:pull"} | (
        {"service": asked["service"]} if "service" in asked else {}
    )
    headers = {"Authorization": f"Basic {known}"} if known else {}
    # A realm is where the registry says: a login goes there and, by a redirect, nowhere else.
    answer = client.request("GET", f"{asked['realm']}?{urlencode(fields)}", headers=headers, redirect=False)
    try:
        said: Any = json.loads(answer.data) if answer.status == 200 else {}
        token = said.get("token") or said.get("access_token")
    except (ValueError, AttributeError):
        token = None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise UnansweredError(f"{image.host} gives no token ({answer.status})")
    return token


def _login(image: ImageName) -> str | None:
    """User and password as basic authentication writes them, of `docker login` or `podman login`; None: none."""
    keys = (_HUB_KEY, _HUB) if image.host == _HUB else (image.host, f"https://{image.host}")
    for file in _login_files():
        try:
            logins = json.loads(file.read_bytes()).get("auths") or {}
            found = next((logins[key]["auth"] for key in keys if (logins.get(key) or {}).get("auth")), None)
            if found is not None:
                base64.b64decode(found, validate=True)
                return str(found)
        except (OSError, ValueError, AttributeError, TypeError):
            continue
    return None


def _login_files() -> list[Path]:
    docker = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    running = os.environ.get("XDG_RUNTIME_DIR")
    named = os.environ.get("REGISTRY_AUTH_FILE")
    places = [Path(named) if named else None, docker / "config.json"]
    places.append(Path(running) / "containers/auth.json" if running else None)
    return [place for place in places if place is not None]
