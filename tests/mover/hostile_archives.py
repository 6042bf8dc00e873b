"""The hostile corpus: archives with every kind of escape, lie and bomb, made here; what must become of each beside it.

Written by the standard library's tarfile and zipfile, and then damaged where these are too honest.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from backports import zstd

from towpath_mover.failures import Reason

ARCHIVE_TYPES = ("Zip", "Tar", "TarGz", "TarZst", "TarBz2", "TarXz")
_PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "Tar": bytes,
    "TarGz": gzip.compress,
    "TarZst": zstd.compress,
    "TarBz2": bz2.compress,
    "TarXz": lzma.compress,
}
MiB = 1 << 20


class Hostile(NamedTuple):
    """One archive: its type and bytes, and why it is refused; or, without a reason, the paths that come of it."""

    type: str
    content: bytes
    reason: Reason | None
    paths: tuple[str, ...] = ()


def packed(type_: str, files: Iterable[tuple[str, bytes]]) -> bytes:
    """An honest archive of these files."""
    return a_zip(files) if type_ == "Zip" else _PACKERS[type_](a_tar(files))


def a_tar(files: Iterable[tuple[str, bytes]], layout: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of ordinary files."""
    return _tar([_member(name, content) for name, content in files], layout)


def a_zip(files: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of ordinary files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def compressed_tar(type_: str, tar: bytes) -> bytes:
    """A tar as an archive of this type."""
    return _PACKERS[type_](tar)


def corpus() -> dict[str, Hostile]:
    """Every hostile archive by what it is, but for those that `bomb` makes."""
    return {**_names(), **_kinds(), **_claims(), **_lies(), **_damage(), **_allowed()}


def bomb(type_: str) -> Hostile:
    """70 MiB of zeros in a few bytes: apart, since they take a second to make."""
    return Hostile(type_, packed(type_, [("zeros", bytes(70 * MiB))]), Reason.ARCHIVE_TOO_LARGE)


def _names() -> dict[str, Hostile]:
    unsafe = Reason.UNSAFE_PATH
    names = {
        "an absolute path": ("/etc/passwd", unsafe),
        "a path that leaves": ("../../etc/passwd", unsafe),
        "a path that leaves in its middle": ("a/../../b", unsafe),
        "a path of dots": ("a/./b", unsafe),
        "an empty part": ("a//b", unsafe),
        "a control character": ("a\nb", unsafe),
        "a backslash": ("..\\..\\windows", unsafe),
        "a name of 256 bytes": ("x" * 256, unsafe),
        "5,000 levels": ("a/" * 5000 + "b", unsafe),
    }
    found = {}
    for what, (name, reason) in names.items():
        found[f"tar: {what}"] = Hostile("Tar", a_tar([(name, b"x")]), reason)
        found[f"zip: {what}"] = Hostile("Zip", a_zip([(name, b"x")]), reason)
    # As a text of Latin-1 has it: no UTF-8.
    raw = a_zip([("caf_.txt", b"x")]).replace(b"caf_.txt", b"caf\xe9.txt")
    found["zip: a name that is not UTF-8"] = Hostile("Zip", raw, Reason.UNDECODABLE_NAME)
    tar = _tar([_member("caf\xe9.txt", b"x")], tarfile.USTAR_FORMAT, encoding="latin-1")
    found["tar: a name that is not UTF-8"] = Hostile("Tar", tar, Reason.UNDECODABLE_NAME)
    for type_ in ("Tar", "Zip"):
        found[f"{type_}: an entry twice"] = Hostile(type_, _twice(type_), Reason.DUPLICATE_PATH)
        under = packed(type_, [("a", b"1"), ("a/b", b"2")])
        found[f"{type_}: a file that is also a folder"] = Hostile(type_, under, Reason.FILE_AND_FOLDER)
    return found


def _kinds() -> dict[str, Hostile]:
    types = {
        "a symbolic link out": (tarfile.SYMTYPE, "/etc/passwd", Reason.ARCHIVE_LINK),
        "a symbolic link inside": (tarfile.SYMTYPE, "b", Reason.ARCHIVE_LINK),
        "a hard link": (tarfile.LNKTYPE, "b", Reason.ARCHIVE_LINK),
        "a character device": (tarfile.CHRTYPE, "", Reason.ARCHIVE_DEVICE),
        "a block device": (tarfile.BLKTYPE, "", Reason.ARCHIVE_DEVICE),
        "a FIFO": (tarfile.FIFOTYPE, "", Reason.ARCHIVE_DEVICE),
        "a sparse file": (tarfile.GNUTYPE_SPARSE, "", Reason.ARCHIVE_INVALID),
        "a kind that nobody knows": (b"Z", "", Reason.ARCHIVE_INVALID),
    }
    found = {}
    for what, (kind, target, reason) in types.items():
        member = tarfile.TarInfo("a")
        member.type, member.linkname = kind, target
        found[f"tar: {what}"] = Hostile("Tar", _tar([(member, b""), _member("b", b"x")]), reason)
    sparse = tarfile.TarInfo("a")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.realsize": str(1 << 50)}
    found["tar: a sparse file of pax"] = Hostile("Tar", _tar([(sparse, b"")]), Reason.ARCHIVE_INVALID)
    for what, mode, reason in (
        ("a symbolic link", 0o120777, Reason.ARCHIVE_LINK),
        ("a device", 0o020666, Reason.ARCHIVE_DEVICE),
        ("a FIFO", 0o010666, Reason.ARCHIVE_DEVICE),
    ):
        found[f"zip: {what}"] = Hostile("Zip", _zip_of_mode(mode), reason)
    found["zip: an encrypted entry"] = Hostile(
        "Zip", _encrypted(a_zip([("a", b"x")])), Reason.ARCHIVE_ENCRYPTED
    )
    aes = _patched(a_zip([("a", b"x")]), 10, struct.pack("<H", 99))
    found["zip: an entry encrypted by AES"] = Hostile("Zip", aes, Reason.ARCHIVE_ENCRYPTED)
    deflate64 = _patched(a_zip([("a", b"x")]), 10, struct.pack("<H", 9))
    found["zip: a method that nobody reads"] = Hostile("Zip", deflate64, Reason.ARCHIVE_INVALID)
    return found


def _claims() -> dict[str, Hostile]:
    """What asks for far more than it is."""
    found = {}
    found["zip: entries that share their bytes"] = Hostile("Zip", _overlapping(), Reason.ARCHIVE_INVALID)
    long_name = tarfile.TarInfo("././@LongLink")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    found["tar: a name of 8 GiB"] = Hostile(
        "Tar", long_name.tobuf(tarfile.GNU_FORMAT), Reason.ARCHIVE_INVALID
    )
    found["zst: a window of 2 GiB"] = Hostile("TarZst", _wide_zstd(), Reason.ARCHIVE_INVALID)
    return found


def _lies() -> dict[str, Hostile]:
    honest = a_zip([("a", b"some bytes that shrink shrink shrink shrink")])
    invalid = Reason.ARCHIVE_INVALID
    directory = honest.index(b"PK\1\2")
    end = honest.index(b"PK\5\6")
    return {
        "zip: an entry larger than it says": Hostile(
            "Zip", _patched(honest, 24, struct.pack("<L", 5)), invalid
        ),
        "zip: an entry smaller than it says": Hostile(
            "Zip", _patched(honest, 24, struct.pack("<L", 99)), invalid
        ),
        "zip: another CRC": Hostile("Zip", _patched(honest, 16, b"\1\2\3\4"), invalid),
        "zip: an offset outside": Hostile("Zip", _patched(honest, 42, struct.pack("<L", 1 << 30)), invalid),
        "zip: bytes behind the end of an entry": Hostile("Zip", _padded(), invalid),
        "zip: two names for one entry": Hostile("Zip", honest.replace(b"a", b"b", 1), invalid),
        "zip: more entries counted": Hostile(
            "Zip", honest[: end + 8] + struct.pack("<2H", 9, 9) + honest[end + 12 :], invalid
        ),
        "zip: fewer entries counted": Hostile(
            "Zip", honest[: end + 8] + struct.pack("<2H", 0, 0) + honest[end + 12 :], invalid
        ),
        "zip: a directory of noise": Hostile(
            "Zip", honest[:directory] + b"X" * (end - directory) + honest[end:], invalid
        ),
        "tar: a wrong checksum": Hostile("Tar", b"b" + a_tar([("a", b"x")])[1:], invalid),
        "tar: a negative size": Hostile("Tar", _tar_of_size(b"\xff" * 12), invalid),
        "tar: a size that is no number": Hostile("Tar", _tar_of_size(b"12345678zzz\0"), invalid),
        "tar: a size of 2^80": Hostile("Tar", _tar_of_size(b"\x80\x01" + bytes(10)), invalid),
        "tar: a size beyond its end": Hostile(
            "Tar", _tar_of_size(b"77777777777\0"), Reason.ARCHIVE_TRUNCATED
        ),
        "tar: damaged attributes": Hostile("Tar", _bad_pax(), invalid),
        "tar: a second archive behind the first": Hostile(
            "Tar", a_tar([("a", b"1")]) + a_tar([("b", b"2")]), invalid
        ),
    }


def _damage() -> dict[str, Hostile]:
    # Bytes that do not shrink, so that a half is missing of every kind.
    noise = b"".join(zlib.crc32(bytes([n % 256, n // 256])).to_bytes(4, "big") for n in range(20_000))
    found = {}
    for type_ in ARCHIVE_TYPES:
        whole = packed(type_, [("a", noise), ("b", noise)])
        found[f"{type_}: cut in the middle"] = Hostile(
            type_, whole[: len(whole) // 2], Reason.ARCHIVE_TRUNCATED
        )
        found[f"{type_}: no archive at all"] = Hostile(
            type_, b"<html>Not found</html>" * 50, Reason.ARCHIVE_INVALID
        )
    for type_ in ARCHIVE_TYPES[1:]:
        found[f"{type_}: nothing"] = Hostile(type_, b"", Reason.ARCHIVE_TRUNCATED)
    found["Zip: nothing"] = Hostile("Zip", b"", Reason.ARCHIVE_INVALID)
    tar = a_tar([("a", b"x" * 512)])
    found["tar: cut between two entries"] = Hostile("Tar", tar[: 512 * 2], Reason.ARCHIVE_TRUNCATED)
    found["gz: cut before its check"] = Hostile("TarGz", gzip.compress(tar)[:-4], Reason.ARCHIVE_TRUNCATED)
    found["gz: bytes behind it"] = Hostile("TarGz", gzip.compress(tar) + b"more", Reason.ARCHIVE_INVALID)
    damaged = bytearray(gzip.compress(tar))
    damaged[-6] ^= 1
    found["gz: a wrong check"] = Hostile("TarGz", bytes(damaged), Reason.ARCHIVE_INVALID)
    return found


def _allowed() -> dict[str, Hostile]:
    inner = a_zip([("inside", b"x")])
    found = {
        f"{type_}: names equal but for case": Hostile(
            type_, packed(type_, [("A", b"1"), ("a", b"2")]), None, ("A", "a")
        )
        for type_ in ("Tar", "Zip")
    }
    found["zip: an archive inside"] = Hostile("Zip", a_zip([("in.zip", inner)]), None, ("in.zip",))
    found["zip: a program before it"] = Hostile("Zip", b"#!/bin/sh\n" * 9 + inner, None, ("inside",))
    found["zip: no entry"] = Hostile("Zip", a_zip([]), None)
    found["tar: no entry"] = Hostile("Tar", a_tar([]), None)
    found["tar: names that begin with ./"] = Hostile(
        "Tar", a_tar([("./a", b"1"), ("./b/c", b"2")]), None, ("a", "b/c")
    )
    found["tar: an empty file"] = Hostile("Tar", a_tar([("empty", b"")]), None, ("empty",))
    found["zip: an empty file"] = Hostile("Zip", a_zip([("empty", b"")]), None, ("empty",))
    folder = tarfile.TarInfo("../folder/")
    folder.type = tarfile.DIRTYPE
    found["tar: a folder that leaves"] = Hostile(
        "Tar", _tar([(folder, b""), _member("a", b"")]), None, ("a",)
    )
    parts = gzip.compress(a_tar([("a", b"1")])[:700]) + gzip.compress(a_tar([("a", b"1")])[700:])
    found["gz: in two streams, with zeros behind"] = Hostile("TarGz", parts + bytes(99), None, ("a",))
    found["tar: a global comment, as git makes it"] = Hostile("Tar", _with_comment(), None, ("a",))
    return found


def _member(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def _tar(
    members: Iterable[tuple[tarfile.TarInfo, bytes]],
    layout: int = tarfile.PAX_FORMAT,
    encoding: str = "utf-8",
    comment: Mapping[str, str] | None = None,
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=layout, encoding=encoding, pax_headers=comment
    ) as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _with_comment() -> bytes:
    return _tar([_member("a", b"1")], comment={"comment": "0123abcd"})


def _tar_of_size(field: bytes) -> bytes:
    block = bytearray(a_tar([("a", b"x")], tarfile.USTAR_FORMAT))
    block[124:136] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block)


def _bad_pax() -> bytes:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 20
    return header.tobuf(tarfile.USTAR_FORMAT) + b"999 path=a\n".ljust(512, b"\0") + a_tar([("a", b"x")])


def _twice(type_: str) -> bytes:
    if type_ == "Tar":
        return a_tar([("a", b"1"), ("a", b"2")])
    # zipfile warns of a name that comes twice; this one is changed afterwards.
    return a_zip([("a", b"1"), ("~", b"2")]).replace(b"~", b"a")


def _zip_of_mode(mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("a")
        entry.create_system, entry.external_attr = 3, mode << 16
        archive.writestr(entry, b"/etc/passwd")
    return buffer.getvalue()


def _patched(archive: bytes, place: int, field: bytes) -> bytes:
    """The zip with a field of its first entry in the directory replaced."""
    at = archive.index(b"PK\1\2") + place
    return archive[:at] + field + archive[at + len(field) :]


def _encrypted(archive: bytes) -> bytes:
    return _patched(archive, 8, struct.pack("<H", 1))


def _padded() -> bytes:
    """An entry whose compressed bytes are followed by others that count as its own."""
    one = a_zip([("a", b"x" * 99)])
    directory = one.index(b"PK\1\2")
    size = struct.unpack("<L", one[directory + 20 : directory + 24])[0]
    padded = one[:directory] + b"more" + one[directory:]
    longer = _patched(padded, 20, struct.pack("<L", size + 4))
    end = longer.index(b"PK\5\6")
    return longer[: end + 16] + struct.pack("<L", directory + 4) + longer[end + 20 :]


def _overlapping() -> bytes:
    """A hundred entries of the directory that stand for the bytes of one: small, and large when unpacked."""
    one = a_zip([("a", zlib.compress(bytes(range(256)) * 400))])
    directory, end = one.index(b"PK\1\2"), one.index(b"PK\5\6")
    entry = one[directory:end]
    count = 100
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entry) * count, directory, 0)
    return one[:directory] + entry * count + tail


def _wide_zstd() -> bytes:
    # Without the size of the content in it, a frame asks for the whole window.
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 31})
    return compressor.compress(b"x" * 100) + compressor.flush()
