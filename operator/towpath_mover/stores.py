"""A Datastore as the plan describes it → an open store; credentials are read from their files at this moment.

A store knows who it speaks as and how its objects are called in a message; no message holds a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from obstore.exceptions import BaseError
from obstore.store import S3Store

from towpath_mover.failures import MoverFailure, Reason

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

DEFAULT_REGION = "us-east-1"
ACCESS_KEY = "AWS_ACCESS_KEY_ID"
SECRET_KEY = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a key, not a key
SESSION_TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105

_PLAIN = re.compile(r"[!-~]+")
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9._\[\]:-]+(/[!-~]*)?", re.IGNORECASE)


class Datastore(NamedTuple):
    """A datastore of the run document: where it is, and the names of its Secret and CA ConfigMap, if it has them."""

    name: str
    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = DEFAULT_REGION
    credentials_secret: str | None = None
    ca_config_map: str | None = None
    create_bucket: bool = False
    read_only: bool = False


class Places(NamedTuple):
    """The folders where a mover's pod has credentials and CA certificates, one subfolder per datastore."""

    credentials: Path = Path("/towpath/credentials")
    ca: Path = Path("/towpath/ca")


class Patience(NamedTuple):
    """How long a store may take: time-outs in seconds, and how often one object is tried from the start."""

    connect_timeout: float
    read_timeout: float
    request_timeout: float
    retries: int
    retry_timeout: float
    tries: int


# A part of 8 MiB may take ten minutes (14 kB/s); a store that is away may come back within three.
TRANSFER = Patience(5, 60, 600, retries=10, retry_timeout=60, tries=3)
PROBE = Patience(3, 5, 10, retries=1, retry_timeout=5, tries=1)


class Credentials(NamedTuple):
    """What the files say. Never shown whole: `access_key` is named by its first characters only."""

    access_key: str
    secret_key: str
    session_token: str | None

    def __repr__(self) -> str:
        return f"Credentials(access_key={_shortened(self.access_key)!r})"

    def hidden_in(self, words: str) -> str:
        """Return a store's words without what is in the Secret: some repeat the access key that they were given."""
        words = words.replace(self.access_key, _shortened(self.access_key))
        for secret in filter(None, (self.secret_key, self.session_token)):
            words = words.replace(secret, "…")
        return words


class Store(NamedTuple):
    """An open store: the client, what it was opened from, and the words for messages."""

    client: S3Store
    datastore: Datastore
    identity: str
    patience: Patience
    credentials: Credentials | None = None

    def where(self, key: str | None = None) -> str:
        """Return the words for the bucket, or for one object in it (a key below the datastore's prefix)."""
        place = f"bucket {self.datastore.bucket!r} at {self.datastore.endpoint or 'AWS S3'}"
        inside = f"object {self.datastore.prefix + key!r} in {place}" if key is not None else place
        return f"{inside} (Datastore {self.datastore.name})"


def datastore_from(document: Mapping[str, Any]) -> Datastore:
    """Return the datastore that an entry of the run document's `datastores` describes."""
    s3 = document["s3"]
    return Datastore(
        name=document["name"],
        bucket=s3["bucket"],
        prefix=_folder(s3.get("prefix", "")),
        endpoint=s3.get("endpoint"),
        region=s3.get("region") or DEFAULT_REGION,
        credentials_secret=document.get("credentialsSecret"),
        ca_config_map=document.get("caConfigMap"),
        create_bucket=s3.get("createBucket", False),
        read_only=document.get("readOnly", False),
    )


def open_store(datastore: Datastore, places: Places = Places(), patience: Patience = TRANSFER) -> Store:  # noqa: B008
    """Return an open store; it speaks to nobody yet. A missing file or key is CredentialsMissing, by name."""
    _check_endpoint(datastore)
    credentials = read_credentials(datastore, places) if datastore.credentials_secret else None
    config, options = _config(datastore, credentials), _client_options(datastore, places, patience)
    try:
        client = S3Store(
            prefix=datastore.prefix or None,
            config=config,
            client_options=options,
            retry_config=_retry_config(patience),
        )
    except (ValueError, BaseError) as error:
        if not datastore.ca_config_map:
            raise
        # The endpoint was looked at before: what else a client is built from is the certificate.
        raise _no_certificate(datastore) from error
    return Store(client, datastore, _identity(datastore, credentials), patience, credentials)


def _check_endpoint(datastore: Datastore) -> None:
    # The client panics at the first request to such an endpoint.
    if datastore.endpoint is not None and not _ENDPOINT.fullmatch(datastore.endpoint):
        message = (
            f"The endpoint {datastore.endpoint!a} of Datastore {datastore.name} is not the address of a store. "
            "Write it as http://HOST:PORT or https://HOST."
        )
        raise MoverFailure(Reason.ENDPOINT_INVALID, message)


def read_credentials(datastore: Datastore, places: Places) -> Credentials:
    """Return what the mounted Secret holds now: it may be changed while a step runs."""
    folder = places.credentials / datastore.name
    found = {key: _value(folder / key) for key in (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)}
    missing = [key for key in (ACCESS_KEY, SECRET_KEY) if not found[key]]
    if missing:
        message = (
            f"Datastore {datastore.name} needs {' and '.join(missing)} in Secret {datastore.credentials_secret!r} "
            "of this namespace, but the Secret does not exist or has no such key. Create the Secret with both keys."
        )
        raise MoverFailure(Reason.CREDENTIALS_MISSING, message)
    # They travel in headers: the client panics at a line break there, or says that the store does not answer.
    unfit = [key for key in (ACCESS_KEY, SESSION_TOKEN) if not _PLAIN.fullmatch(found[key] or "-")]
    if unfit:
        message = (
            f"Datastore {datastore.name} cannot use {' and '.join(unfit)} of Secret {datastore.credentials_secret!r}: "
            "a space, a line break or a character that is not ASCII is in it. Write the value alone, as it was given."
        )
        raise MoverFailure(Reason.CREDENTIALS_REFUSED, message)
    return Credentials(found[ACCESS_KEY] or "", found[SECRET_KEY] or "", found[SESSION_TOKEN])


def _value(file: Path) -> str | None:
    try:
        # Secrets made from files often end in a newline, which no key has.
        return file.read_text(errors="replace").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _config(datastore: Datastore, credentials: Credentials | None) -> S3Config:
    config: S3Config = {"bucket": datastore.bucket, "region": datastore.region}
    if datastore.endpoint:
        config["endpoint"] = datastore.endpoint.rstrip("/")
    # Over TLS the body is protected already, and signing it costs as much as hashing it once more.
    config["unsigned_payload"] = not _is_plain_http(datastore)
    if credentials:
        config["access_key_id"] = credentials.access_key
        config["secret_access_key"] = credentials.secret_key
        if credentials.session_token:
            config["session_token"] = credentials.session_token
    return config


def _client_options(datastore: Datastore, places: Places, patience: Patience) -> ClientConfig:
    options: ClientConfig = {
        "allow_http": _is_plain_http(datastore),
        "connect_timeout": timedelta(seconds=patience.connect_timeout),
        "read_timeout": timedelta(seconds=patience.read_timeout),
        "timeout": timedelta(seconds=patience.request_timeout),
        "user_agent": "towpath-mover",
    }
    if datastore.ca_config_map:
        options["root_certificate"] = _certificate(datastore, places)
    return options


def _certificate(datastore: Datastore, places: Places) -> bytes:
    file = places.ca / datastore.name / "ca.crt"
    if file.is_file():
        return file.read_bytes()
    message = (
        f"Datastore {datastore.name} needs the key ca.crt in ConfigMap {datastore.ca_config_map!r} of this namespace, "
        "but the ConfigMap does not exist or has no such key. Create it with the certificate in PEM."
    )
    raise MoverFailure(Reason.CERTIFICATE_NOT_TRUSTED, message)


def _no_certificate(datastore: Datastore) -> MoverFailure:
    message = (
        f"The key ca.crt in ConfigMap {datastore.ca_config_map!r}, which Datastore {datastore.name} names, holds no "
        "certificate that can be read. Write the CA's certificate there in PEM, from BEGIN to END CERTIFICATE."
    )
    return MoverFailure(Reason.CERTIFICATE_NOT_TRUSTED, message)


def _retry_config(patience: Patience) -> RetryConfig:
    return {
        "max_retries": patience.retries,
        "retry_timeout": timedelta(seconds=patience.retry_timeout),
        "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=10), "base": 2},
    }


def _identity(datastore: Datastore, credentials: Credentials | None) -> str:
    if credentials is None:
        return "the pod's own identity (the Datastore has no credentialsSecretRef)"
    return f"access key {_shortened(credentials.access_key)!r} of Secret {datastore.credentials_secret!r}"


def _shortened(access_key: str) -> str:
    # An access key is no secret, but people paste the two fields the wrong way round.
    return access_key[:4] + "…"


def _is_plain_http(datastore: Datastore) -> bool:
    return (datastore.endpoint or "").lower().startswith("http://")


def _folder(prefix: str) -> str:
    return f"{prefix.strip('/')}/" if prefix.strip("/") else ""
