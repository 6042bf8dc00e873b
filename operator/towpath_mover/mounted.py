"""What is mounted for a datastore, its Secret and the certificates of its CA → values, read at this moment.

They may be changed while a step runs. What is missing, or cannot be used, is named; no message shows a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.stores import Datastore, Places

# Tokens that travel: those of a pod's own identity stand in no Secret.
_TOKEN = re.compile(r"\b(bearer\s+|sig=|signature=)[^\s&,;]+", re.IGNORECASE)
_PLAIN = re.compile(r"[!-~]+")


def secret_values(datastore: Datastore, places: Places, keys: Iterable[str]) -> dict[str, str]:
    """Return what the Secret holds under these keys; keys that are missing or empty are left out."""
    folder = places.credentials / datastore.name
    values = {key: _value(folder / key) for key in keys}
    return {key: value for key, value in values.items() if value}


def _value(file: Path) -> str | None:
    try:
        # Secrets made from files often end in a newline, which no key has.
        return file.read_text(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def hiding(secret: Mapping[str, str]) -> Callable[[str], str]:
    """Return what takes the values of a Secret out of a store's words: some repeat what they were given."""

    def hidden(words: str) -> str:
        for value in secret.values():
            words = words.replace(value, "…")
        return words

    return hidden


def without_tokens(words: str) -> str:
    """Return the words without what signs a request: of a URL that was put together anew no Secret's value is left."""
    return _TOKEN.sub(r"\1…", words)


def credentials_missing(datastore: Datastore, needed: str, advice: str) -> MoverFailure:
    """Return the failure that names the keys that a Secret should have."""
    message = (
        f"Datastore {datastore.name} needs {needed} in Secret {datastore.credentials_secret!r} "
        f"of this namespace, but the Secret does not exist or has no such key. {advice}"
    )
    return MoverFailure(Reason.CREDENTIALS_MISSING, message)


def check_fit_for_headers(datastore: Datastore, values: Mapping[str, str], keys: Collection[str]) -> None:
    """Refuse values with what no header can carry: the client panics at it, or says that the store does not answer."""
    unfit = [key for key in keys if not _PLAIN.fullmatch(values.get(key, "-"))]
    if unfit:
        message = (
            f"Datastore {datastore.name} cannot use {' and '.join(unfit)} of Secret {datastore.credentials_secret!r}: "
            "a space, a line break or a character that is not ASCII is in it. Write the value alone, as it was given."
        )
        raise MoverFailure(Reason.CREDENTIALS_REFUSED, message)


def certificate(datastore: Datastore, places: Places) -> bytes:
    """Return the certificates of the datastore's own CA, in PEM."""
    file = certificate_file(datastore, places)
    if file.is_file():
        return file.read_bytes()
    message = (
        f"Datastore {datastore.name} needs the key ca.crt in ConfigMap {datastore.ca_config_map!r} of this namespace, "
        "but the ConfigMap does not exist or has no such key. Create it with the certificate in PEM."
    )
    raise MoverFailure(Reason.CERTIFICATE_NOT_TRUSTED, message)


def certificate_file(datastore: Datastore, places: Places) -> Path:
    """Return the file that holds them."""
    return places.ca / datastore.name / "ca.crt"


def no_certificate(datastore: Datastore) -> MoverFailure:
    """Return the failure for a file that holds none."""
    message = (
        f"The key ca.crt in ConfigMap {datastore.ca_config_map!r}, which Datastore {datastore.name} names, holds no "
        "certificate that can be read. Write the CA's certificate there in PEM, from BEGIN to END CERTIFICATE."
    )
    return MoverFailure(Reason.CERTIFICATE_NOT_TRUSTED, message)
