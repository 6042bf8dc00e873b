"""A datastore → rclone's remote for it, and the command that mounts it. All of it comes from typed fields.

rclone's own words of a remote are commands in disguise (a remote may run a program), so none is ever taken from a user.
Credentials go into its environment, which belongs to the one process; no file and no argument has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from towpath_mover.endpoints import endpoint_of
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.fields import Fields
from towpath_mover.mounted import certificate_file, secret_values
from towpath_mover.stores import Datastore, Kind, Places

_REMOTE = "store"
_PREFIX = f"RCLONE_CONFIG_{_REMOTE.upper()}_"
# What each is called by who signs for our own transfers, and by rclone.
_AZURE = {
    "account_key": "KEY",
    "client_id": "CLIENT_ID",
    "client_secret": "CLIENT_SECRET",
    "tenant_id": "TENANT",
}
# A reader waits about two minutes for a store that is away, as a transfer does: rclone by itself waits for forty.
_ALWAYS = (
    *("--config=", "--use-json-log", "--log-level=NOTICE", "--devname=towpath"),
    *("--read-only", "--allow-other", "--umask=0022"),
    *("--poll-interval=0", "--dir-cache-time=1000h", "--attr-timeout=1h", "--use-server-modtime"),
    *("--low-level-retries=4", "--contimeout=10s", "--timeout=1m"),
)


class Remote(NamedTuple):
    """`path` is what rclone is to mount, `environment` how it reaches it; `secret` is what it must not say."""

    path: str
    environment: Mapping[str, str]
    secret: Mapping[str, str]


class MountSettings(NamedTuple):
    """Where a mount is made, and where and how large its cache is; sizes in bytes, 0: there is none."""

    place: Path
    cache: Path
    cache_bytes: int


def remote_of(datastore: Datastore, places: Places) -> Remote:
    """Return how rclone reaches this datastore, with the credentials as they are now; a MoverFailure without them."""
    remotes = {Kind.S3: _s3, Kind.AZURE_BLOB: _azure, Kind.GCS: _gcs}
    settings, container, secret = remotes[datastore.kind](datastore, places)
    environment = {_PREFIX + name: value for name, value in settings.items() if value}
    path = "/".join(part for part in (container, datastore.prefix.strip("/")) if part)
    # With the slash it is a folder: rclone would ask first, and take whatever refuses to tell for a file.
    return Remote(f"{_REMOTE}:{path}/", environment, secret)


def mount_command(remote: Remote, settings: MountSettings, datastore: Datastore, places: Places) -> list[str]:
    """Return the command that mounts it, read-only and for every user, until it is told to end.

    What is listed is kept: an input's files were pinned, and what is added later is none of them.
    """
    command = ["rclone", "mount", remote.path, str(settings.place), *_ALWAYS]
    if settings.cache_bytes:
        command += ["--vfs-cache-mode=full", f"--cache-dir={settings.cache}", "--vfs-fast-fingerprint"]
        command += [f"--vfs-cache-max-size={settings.cache_bytes}B", "--vfs-cache-poll-interval=5s"]
        command += ["--vfs-read-chunk-size=4M", "--buffer-size=0"]
    else:
        command += ["--vfs-cache-mode=off", "--vfs-read-chunk-size=16M", "--buffer-size=8M"]
    if datastore.ca_config_map:
        command.append(f"--ca-cert={certificate_file(datastore, places)}")
    return command


Settings = tuple[dict[str, str], str, dict[str, str]]


def _s3(datastore: Datastore, places: Places) -> Settings:
    from towpath_mover.store_s3 import bucket_of, read_credentials  # noqa: PLC0415 - only its kind is loaded

    bucket, credentials = bucket_of(datastore), read_credentials(datastore, places)
    settings = {
        "TYPE": "s3",
        "PROVIDER": "Other" if bucket.endpoint else "AWS",
        "ENDPOINT": bucket.endpoint or "",
        "REGION": bucket.region,
        "FORCE_PATH_STYLE": "true" if bucket.endpoint else "false",
        "NO_CHECK_BUCKET": "true",
    }
    if credentials is None:
        return settings | {"ENV_AUTH": "true"}, bucket.name, {}
    secret = {
        "ACCESS_KEY_ID": credentials.access_key,
        "SECRET_ACCESS_KEY": credentials.secret_key,
        "SESSION_TOKEN": credentials.session_token or "",
    }
    return settings | secret, bucket.name, {name: value for name, value in secret.items() if value}


def _azure(datastore: Datastore, places: Places) -> Settings:
    from towpath_mover.store_azure import AUTHORITY_HOST, identity_of, secret_of  # noqa: PLC0415 - as above

    location = Fields(datastore.location, "azureBlob")
    account, container = location.text("account"), location.text("container")
    address = endpoint_of(datastore) or f"https://{account}.blob.core.windows.net"
    secret = secret_of(datastore, places)
    config: Mapping[str, Any] = identity_of(datastore, secret, address).config
    settings = {"TYPE": "azureblob", "ACCOUNT": account, "ENDPOINT": address}
    if "sas_key" in config:
        signed = f"{address}/{container}?{config['sas_key']}"
        return {"TYPE": "azureblob", "SAS_URL": signed}, container, secret | {"url": signed}
    if not config:
        return settings | {"ENV_AUTH": "true"}, container, secret
    if "authority_host" in config:
        raise _no_such_cloud(datastore, AUTHORITY_HOST)
    return (
        settings | {_AZURE[name]: text for name, text in config.items() if name in _AZURE},
        container,
        secret,
    )


def _no_such_cloud(datastore: Datastore, key: str) -> MoverFailure:
    message = (
        f"Datastore {datastore.name} has {key} in Secret {datastore.credentials_secret!r}, and a FUSE sidecar cannot "
        "use it. Give it an account key or a shared access signature, or download the input (mode: Download)."
    )
    return MoverFailure(Reason.CREDENTIALS_REFUSED, message)


def _gcs(datastore: Datastore, places: Places) -> Settings:
    from towpath_mover.store_gcs import GOOGLE, NOBODY, SERVICE_ACCOUNT_KEY, identity_of  # noqa: PLC0415 - as above

    endpoint, secret = endpoint_of(datastore), secret_values(datastore, places, (SERVICE_ACCOUNT_KEY,))
    key = identity_of(datastore, secret.get(SERVICE_ACCOUNT_KEY), endpoint or GOOGLE).key
    settings = {"TYPE": "google cloud storage", "ENDPOINT": endpoint or ""}
    if key is None:
        settings["ENV_AUTH"] = "true"
    elif key == NOBODY:
        settings["ANONYMOUS"] = "true"
    else:
        # Of the document only what says who: other fields of it name servers to ask.
        document = {"type": "service_account", **json.loads(key)}
        settings["SERVICE_ACCOUNT_CREDENTIALS"] = json.dumps(document)
        secret |= {f"{SERVICE_ACCOUNT_KEY}.{name}": text for name, text in document.items() if name != "type"}
    return settings, Fields(datastore.location, "gcs").text("bucket"), secret
