"""Lines of an inventory ↔ headers and entries. Reading is strict: what this module would not write, it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import Any, NoReturn

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import FORMAT, FORMAT_VERSION, Entry, Root
from towpath_mover.paths import check_path

MAX_SIZE = 2**63 - 1
MAX_ROOTS = 8192

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TAG = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,1024}")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_ENTRY_KEYS = ("path", "size", "sha256", "etag", "version", "executable", "root", "pack", "offset")


def encode_header(roots: Sequence[Root]) -> bytes:
    """Return the first line of an inventory."""
    header = {"format": FORMAT, "formatVersion": FORMAT_VERSION, "roots": [*map(_encoded, roots)]}
    return json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _encoded(root: Root) -> dict[str, str]:
    partition = {} if root.partition_format is None else {"partitionFormat": root.partition_format}
    return {"datastore": root.datastore, "prefix": root.prefix} | partition


def decode_header(line: bytes) -> tuple[Root, ...]:
    """Return the roots that a first line names, or refuse it."""
    header = _object(line, 1)
    if header.get("format") != FORMAT:
        _invalid(1, f'it is not an inventory: the first line must say "format":"{FORMAT}"')
    if header.get("formatVersion") != FORMAT_VERSION or type(header["formatVersion"]) is not int:
        _unknown_version(header.get("formatVersion"))
    roots = header.get("roots")
    if set(header) != {"format", "formatVersion", "roots"} or not isinstance(roots, list):
        _invalid(1, "the header must hold format, formatVersion and the list of roots, and nothing else")
    if not 1 <= len(roots) <= MAX_ROOTS:
        _invalid(1, f"the header must name 1 to {MAX_ROOTS} roots")
    return tuple(_root(root) for root in roots)


def encode_entry(entry: Entry) -> bytes:
    """Return an entry's line. The path and the pins are checked when it is read; a writer checks the path itself."""
    parts = [f'{{"path":{encode_basestring(entry.path)},"size":{entry.size}']
    if entry.sha256 is not None:
        parts.append(f',"sha256":"{entry.sha256}"')
    if entry.etag is not None:
        parts.append(f',"etag":{encode_basestring(entry.etag)}')
    if entry.version is not None:
        parts.append(f',"version":{encode_basestring(entry.version)}')
    if entry.executable:
        parts.append(',"executable":true')
    if entry.root:
        parts.append(f',"root":{entry.root}')
    if entry.pack is not None:
        parts.append(f',"pack":{encode_basestring(entry.pack)},"offset":{entry.offset}')
    parts.append("}\n")
    return "".join(parts).encode()


def decode_entry(line: bytes, number: int, roots: int) -> Entry:
    """Return the entry of line `number` of an inventory with so many roots, or refuse it."""
    fields = _object(line, number)
    if not fields.keys() <= _ALLOWED:
        _invalid(
            number, f"it has a field that this format does not know: {sorted(fields.keys() - _ALLOWED)[0]!a}"
        )
    path, size = fields.get("path"), fields.get("size")
    if not isinstance(path, str):
        _invalid(number, "it has no path")
    check_path(path)
    if type(size) is not int or not 0 <= size <= MAX_SIZE:
        _invalid(number, "its size must be a whole number from 0 to 2^63-1")
    if fields.get("executable", True) is not True:
        _invalid(number, "executable must be true or left out")
    root = fields.get("root", 0)
    if type(root) is not int or not 0 <= root < roots:
        _invalid(number, f"its root must be a number below {roots}, the number of roots in the header")
    _check_identity(fields, number)
    _check_pack(fields, number)
    return Entry(
        path,
        size,
        fields.get("sha256"),
        fields.get("etag"),
        fields.get("version"),
        "executable" in fields,
        root,
        fields.get("pack"),
        fields.get("offset"),
    )


_ALLOWED = frozenset(_ENTRY_KEYS)


def _check_identity(fields: dict[str, Any], number: int) -> None:
    digest, etag, version = fields.get("sha256"), fields.get("etag"), fields.get("version")
    if ("sha256" in fields) == ("etag" in fields):
        _invalid(number, "a file is known by its sha256 or by its etag: one of them")
    if "sha256" in fields and not (isinstance(digest, str) and _SHA256.fullmatch(digest)):
        _invalid(number, "its sha256 must be 64 hexadecimal digits in lower case")
    if "etag" in fields and not (isinstance(etag, str) and _TAG.fullmatch(etag)):
        _invalid(number, "its etag must be 1 to 1,024 printable characters")
    if "version" in fields and (
        "etag" not in fields or not (isinstance(version, str) and _TAG.fullmatch(version))
    ):
        _invalid(number, "its version must be 1 to 1,024 printable characters beside an etag")


def _check_pack(fields: dict[str, Any], number: int) -> None:
    if ("pack" in fields) != ("offset" in fields):
        _invalid(number, "pack and offset stand together or not at all")
    if "pack" not in fields:
        return
    pack, offset = fields["pack"], fields["offset"]
    if not isinstance(pack, str) or "sha256" not in fields:
        _invalid(number, "only a file known by its sha256 lies in a pack, which is named by a key")
    check_path(pack)
    if type(offset) is not int or not 0 <= offset <= MAX_SIZE - fields["size"]:
        _invalid(number, "its offset must be a whole number from 0 to 2^63-1 less its size")


def _root(listed: object) -> Root:
    if not isinstance(listed, dict) or listed.keys() - {"partitionFormat"} != {"datastore", "prefix"}:
        _invalid(1, "each root must hold datastore and prefix, perhaps partitionFormat, and nothing else")
    datastore, prefix, partition = listed["datastore"], listed["prefix"], listed.get("partitionFormat")
    if not isinstance(datastore, str) or not _NAME.fullmatch(datastore):
        _invalid(1, "a root's datastore must be the name of a Datastore")
    if not isinstance(prefix, str) or (prefix and not prefix.endswith("/")):
        _invalid(1, "a root's prefix must be empty or end in `/`")
    if prefix:
        check_path(prefix[:-1])
    if "partitionFormat" in listed and not (isinstance(partition, str) and _TAG.fullmatch(partition)):
        _invalid(1, "a root's partitionFormat must be 1 to 1,024 printable characters")
    return Root(datastore, prefix, partition)


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        value = _DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        _invalid(number, "it is not a JSON object in UTF-8 with each key once")
    if not isinstance(value, dict):
        _invalid(number, "it is not a JSON object")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Made once: with these hooks json.loads would make a decoder for every line.
_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_no_constant)


def _invalid(number: int, why: str) -> NoReturn:
    message = f"Line {number} of the inventory is refused: {why}. It was damaged, or not written by Towpath."
    raise MoverFailure(Reason.INVENTORY_INVALID, message)


def _unknown_version(version: object) -> NoReturn:
    text = ascii(version)[:40]
    message = (
        f"The inventory has format version {text}; this mover reads {FORMAT_VERSION}. Use a newer Towpath."
    )
    raise MoverFailure(Reason.INVENTORY_VERSION_UNKNOWN, message)
