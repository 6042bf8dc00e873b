"""What a store's client raised → a named failure: what failed, where, as whom, and what to do.

Of the server's answer only code, message, region and time are repeated: some quote signed headers in the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obstore.exceptions import BaseError

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.mounted import without_tokens

if TYPE_CHECKING:
    from towpath_mover.object_store import ObjectStore

# What a call to obstore may raise; 404 is the builtin error.
STORE_ERRORS = (BaseError, FileNotFoundError)

# Azure tells the outcome of a delete inside another answer; codes of the system are below 200.
_STATUS = re.compile(r"\b(?:status )?code: ([2-9]\d{2})\b")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>|\(code: ([A-Za-z]{1,64})\)")
_URL = re.compile(r"\bhttps?://[^\s\"]+")
_MESSAGE = re.compile(r"<Message>([^<>]{1,300})</Message>")
# What helps beside the message, in a form that can be nothing else.
_REGION = re.compile(r"<Region>([a-z0-9-]{1,40})</Region>")
_TIME = re.compile(r"<ServerTime>([0-9TZ:.-]{1,40})</ServerTime>")
# Whom the client asked, at the beginning of what it says: not always the store.
_ASKED = re.compile(
    r"Generic \w+ error: (?P<token>Error performing token request: )?"
    r"Error performing [A-Z]+ (?P<address>https?://[^/?\s]+)"
)
# What the client's errors show as a tree.
_BROKEN_LINE = re.compile(r"\(\s+")


class _Verdict(NamedTuple):
    reason: Reason
    what: str
    advice: str


_CHECK_KEYS = "Correct the keys in the Secret; a transfer that waits reads them again."
_GRANT = "Grant this identity list, read, write and delete on the bucket and prefix, or name another Secret."
_SEE_CLOCK = "Correct the clock of the node, such as by its time service; what waits tries again."
_SEE_REGION = "The region of a Datastore cannot be changed: make one with the region of its bucket."
_SEE_OWNER = "See who deleted it."
_SEE_BUCKET = (
    "Create the bucket (of s3 the Datastore can do it: createBucket: true), or correct its name there."
)
_SEE_CONTAINER = "Create the container, or make a Datastore with its right name."
_SEE_VERSION = "Restore the object, or take a new version of the data and run again."

_REFUSED = Reason.CREDENTIALS_REFUSED
_CHANGED = _Verdict(Reason.INPUT_DRIFT, "it was changed since it was pinned", _SEE_VERSION)
_SHORTER = _Verdict(Reason.INPUT_DRIFT, "it is shorter than what was pinned", _SEE_VERSION)
_NO_OBJECT = _Verdict(Reason.OBJECT_NOT_FOUND, "there is no such object", _SEE_OWNER)
_ELSEWHERE = _Verdict(Reason.WRONG_REGION, "the bucket is not in this region", _SEE_REGION)
_NO_IDENTITY = _Verdict(
    Reason.CREDENTIALS_MISSING,
    "the pod has no identity of its own",
    "Name a Secret in the Datastore's credentialsSecretRef, or give the pod's service account an identity.",
)
# A store's own code says more than its status. 412 is an error of its own only in the first answer to a read: in the
# answer to a read that was resumed, the client tells it like a broken connection.
_CODES = {
    "InvalidAccessKeyId": _Verdict(_REFUSED, "the store does not know this access key", _CHECK_KEYS),
    "SignatureDoesNotMatch": _Verdict(
        _REFUSED, "the secret key does not belong to the access key", _CHECK_KEYS
    ),
    "ExpiredToken": _Verdict(_REFUSED, "the session token has expired", _CHECK_KEYS),
    "InvalidToken": _Verdict(_REFUSED, "the session token is not valid", _CHECK_KEYS),
    "RequestTimeTooSkewed": _Verdict(
        Reason.CLOCK_SKEWED, "this node's clock differs from the store's", _SEE_CLOCK
    ),
    "PermanentRedirect": _ELSEWHERE,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "IllegalLocationConstraintException": _ELSEWHERE,
    "AccessDenied": _Verdict(Reason.PERMISSION_DENIED, "permission denied", _GRANT),
    "NoSuchBucket": _Verdict(Reason.BUCKET_NOT_FOUND, "the bucket does not exist", _SEE_BUCKET),
    "ContainerNotFound": _Verdict(Reason.BUCKET_NOT_FOUND, "the container does not exist", _SEE_CONTAINER),
    "NoSuchKey": _NO_OBJECT,
    "AuthenticationFailed": _Verdict(_REFUSED, "the store does not accept this identity", _CHECK_KEYS),
    "InvalidAuthenticationInfo": _Verdict(_REFUSED, "the store does not accept this identity", _CHECK_KEYS),
    "PreconditionFailed": _CHANGED,
    "InvalidRange": _SHORTER,
    "401": _Verdict(_REFUSED, "the store does not accept these credentials", _CHECK_KEYS),
    "403": _Verdict(Reason.PERMISSION_DENIED, "the store refused the credentials or the permission", _GRANT),
    "404": _NO_OBJECT,
    "412": _CHANGED,
    "416": _SHORTER,
    "507": _Verdict(Reason.STORE_FULL, "the store has no room left", "Make room in the store."),
}
# Who gives the pods of clouds their identity.
METADATA_SERVICES = ("169.254.169.254", "169.254.170.23", "metadata.google.internal")
_EXPIRED = _Verdict(
    Reason.CERTIFICATE_NOT_TRUSTED,
    "the endpoint's certificate has expired, or is not valid yet by the clock of this node",
    "Have it renewed, or correct the clock.",
)
# What the client's own errors hold when no answer came; the first that is found counts.
_SIGNS = {
    "dns error": _Verdict(
        Reason.ENDPOINT_NOT_FOUND,
        "the endpoint's host name is not known",
        "Make a Datastore with the right endpoint, which cannot be changed, or see the cluster's DNS.",
    ),
    "InvalidCertificate(Expired": _EXPIRED,
    "InvalidCertificate(NotValidYet": _EXPIRED,
    "InvalidCertificate(NotValidForName": _Verdict(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "the endpoint's certificate is for another host",
        "Make a Datastore whose endpoint has a name that stands in the certificate.",
    ),
    "InvalidCertificate": _Verdict(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "nobody who is trusted here has signed the endpoint's certificate",
        "Name its CA in the Datastore's caConfigMapRef.",
    ),
    "InvalidContentType": _Verdict(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "the endpoint does not speak TLS",
        "If it is meant to be plain HTTP, write http:// in the Datastore's endpoint.",
    ),
    "tcp connect error": _Verdict(
        Reason.ENDPOINT_UNREACHABLE,
        "nothing accepts connections at the endpoint",
        "See whether the store runs, whether the port is right and no network policy is in the way.",
    ),
    "Received non-partial response": _Verdict(
        Reason.STORE_REFUSED,
        "it does not answer with the range that was asked for",
        "See whether the endpoint is a store of this kind, or what stands before it.",
    ),
    "kind: Timeout": _Verdict(
        Reason.NO_ANSWER,
        "no answer in time",
        "See whether the store is overloaded, or a network policy drops what is sent to it.",
    ),
    "BareRedirect": _ELSEWHERE,
}


def failure(error: Exception, store: ObjectStore, doing: str, key: str | None = None) -> MoverFailure:
    """Return the named failure for an error of obstore; `doing` is a verb that fits before the object's name."""
    text = str(error)
    if key and _speaks(key):
        # Who chose the name of a file does not choose how its transfer ends.
        text = _URL.sub("", text).replace(key, "")
    verdict = _of_whom_was_asked(_verdict(text), str(error), store)
    message = (
        f"Could not {doing} {store.where(key)} as {store.identity}: {verdict.what}{_quoted(text, store)}."
    )
    return MoverFailure(verdict.reason, f"{message} {verdict.advice}")


def _speaks(key: str) -> bool:
    """Return whether a key holds what is looked for in errors."""
    return any(sought.search(key) for sought in (_STATUS, _CODE, _MESSAGE)) or any(
        map(key.__contains__, _SIGNS)
    )


def _verdict(text: str) -> _Verdict:
    # No key can hold two slashes in a row.
    if any(f"://{service}/" in text for service in METADATA_SERVICES):
        return _NO_IDENTITY
    code, status = server_code(text), _STATUS.search(text)
    if code in _CODES:
        return _CODES[code]
    if status:
        return _CODES.get(status[1]) or _by_class(status[1])
    text = _BROKEN_LINE.sub("(", text)
    found = (verdict for sign, verdict in _SIGNS.items() if sign in text)
    return next(found, _BROKEN)


def _of_whom_was_asked(verdict: _Verdict, text: str, store: ObjectStore) -> _Verdict:
    """Return a verdict on a connection as one on who gives the tokens, where that is who was asked."""
    asked, endpoint = _ASKED.match(text), str(store.datastore.location.get("endpoint") or "")
    if asked is None or verdict not in _SIGNS.values():
        return verdict
    address = asked["address"]
    is_store = f"{endpoint}/".lower().startswith(f"{address}/".lower()) if endpoint else not asked["token"]
    if is_store:
        return verdict
    what = f"the identity is asked for at {address}: {verdict.what.replace('the endpoint', 'that address')}"
    advice = "See whether this is who gives tokens (of Azure it is AZURE_AUTHORITY_HOST), and the way there."
    return verdict._replace(what=what, advice=advice)


_BROKEN = _Verdict(
    Reason.STORE_UNAVAILABLE, "the connection failed again and again", "See the store and the network."
)


def _by_class(status: str) -> _Verdict:
    if status.startswith("5") or status in {"408", "429"}:
        return _Verdict(
            Reason.STORE_UNAVAILABLE,
            f"it goes on answering {status}",
            "See the store's health; it is tried again.",
        )
    return _Verdict(
        Reason.STORE_REFUSED, f"it answered {status}", "See whether the endpoint is a store of this kind."
    )


def server_code(text: str) -> str | None:
    """Return the S3 error code in an error's text, such as NoSuchBucket."""
    found = _CODE.search(text)
    return (found[1] or found[2]) if found else None


def _quoted(text: str, store: ObjectStore) -> str:
    code, message = server_code(text), _MESSAGE.search(text)
    if code is None:
        return ""
    # Azure goes on with the request's number and the time, which would make each message another one.
    words = f"{code}: {message[1].strip().splitlines()[0].rstrip('.')}" if message else code
    if region := _REGION.search(text):
        words += f"; its region is {region[1]}"
    if time := _TIME.search(text):
        words += f"; its time was {time[1]}"
    hidden = without_tokens(store.hidden(words))
    return f" ({hidden})"
