"""A source folder → what travels with a pipeline: what is ignored, what is refused, and how it is packed."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from towpath import DefinitionError
from towpath.code_folder import MOST_FILES, code_files
from towpath.code_snapshots import MOST_IN_CONFIG_MAP, snapshot_of
from towpath.flow.code import ARCHIVE_KEY, CodeArchiveError, code_digest, code_of, pack_code


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder with these files."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_what_no_script_needs_stays_at_home(tmp_path: Path) -> None:
    files = {"train.py": "1", ".git/config": "x", "a/__pycache__/b.pyc": "x", ".towpath/objects/x": "x"}
    assert sorted(code_files(written(tmp_path, files)).files) == ["train.py"]


def test_an_environment_of_python_stays_at_home_whatever_it_is_called(tmp_path: Path) -> None:
    """Made by the real `python -m venv`, whose links lead out of the folder."""
    (tmp_path / "train.py").write_text("print()")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "my env"], check=True)
    assert list(code_files(tmp_path).files) == ["train.py"]


@pytest.mark.parametrize("name", [".towpathignore", ".amlignore", ".gitignore"])
def test_an_ignore_file_is_read_as_git_reads_it(tmp_path: Path, name: str) -> None:
    rules = "# data\n*.csv\n!keep.csv\n/build\nlogs/\ndeep/**/x.txt\nnote?.md\n[ab].bin\n"
    kept = ["a/build/x", "keep.csv", "train.py", "notes10.md", "c.bin"]
    gone = [
        "x.csv",
        "a/y.csv",
        "build/x",
        "logs/1",
        "a/logs/2",
        "deep/x.txt",
        "deep/1/2/x.txt",
        "note1.md",
        "a.bin",
    ]
    folder = written(tmp_path, {**dict.fromkeys(kept + gone, "x"), name: rules})
    assert sorted(code_files(folder).files) == sorted(kept)


def test_our_own_ignore_file_comes_first(tmp_path: Path) -> None:
    files = {"a.txt": "", "b.txt": "", ".gitignore": "a.txt", ".towpathignore": "b.txt"}
    assert sorted(code_files(written(tmp_path, files)).files) == ["a.txt"]


def test_too_many_files_are_refused_with_the_numbers(tmp_path: Path) -> None:
    folder = written(tmp_path, {f"{number}.txt": "x" for number in range(MOST_FILES + 1)})
    with pytest.raises(
        DefinitionError, match=r"has 2,001 files of 0\.0 MB, and a step's code at most 2,000 of 314"
    ):
        code_files(folder)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "code", {"train.py": "1"})
    (folder / "secret").symlink_to(written(tmp_path, {"outside": "x"}) / "outside")
    with pytest.raises(DefinitionError, match=r"is a link to .*outside of the source folder"):
        code_files(folder)


def test_what_is_no_file_stays_at_home(tmp_path: Path) -> None:
    os.mkfifo(written(tmp_path, {"train.py": "1"}) / "pipe")
    assert sorted(code_files(tmp_path).files) == ["train.py"]


def test_a_missing_script_is_named_with_what_was_meant(tmp_path: Path) -> None:
    code = code_files(written(tmp_path, {"train.py": "1"}))
    with pytest.raises(DefinitionError, match=r"there is no trian\.py in .* Did you mean train\.py\?"):
        code.check_script("trian.py", "fit")


def test_scripts_side_by_side_stay_readable_in_their_config_map(tmp_path: Path) -> None:
    snapshot = snapshot_of(code_files(written(tmp_path, {"train.py": "print(1)\n"})))
    assert snapshot.config_map["data"] == {"train.py": "print(1)\n"}
    assert snapshot.config_map["immutable"] is True
    assert snapshot.config_map["metadata"]["name"] == "code-" + snapshot.digest.removeprefix("sha256:")
    assert snapshot.reference() == {"configMapRef": {"name": snapshot.config_map["metadata"]["name"]}}


@pytest.mark.parametrize(
    "files",
    [{"lib/a.py": "1", "train.py": "2"}, {"x.bin": b"\xff"}, {"ü.py": "1"}],
    ids=["folder", "bytes", "name"],
)
def test_folders_and_bytes_travel_in_an_archive_with_the_same_digest(
    tmp_path: Path, files: dict[str, str | bytes]
) -> None:
    code = code_files(written(tmp_path, files))
    snapshot = snapshot_of(code)
    content = {key: base64.b64decode(text) for key, text in snapshot.config_map["binaryData"].items()}
    assert code_of(content) == code.files
    assert code_digest(code_of(content)) == snapshot.digest


def test_the_same_files_are_packed_into_the_same_bytes() -> None:
    files = {"b.py": b"2", "a/c.py": b"1"}
    assert pack_code(files) == pack_code(dict(reversed(files.items())))


def test_more_than_a_config_map_holds_is_refused_with_the_numbers(tmp_path: Path) -> None:
    code = code_files(written(tmp_path, {"weights.bin": os.urandom(MOST_IN_CONFIG_MAP)}))
    with pytest.raises(
        DefinitionError, match=r"takes 1,20\d KiB when it is packed, and a ConfigMap holds 900 KiB .*weights"
    ):
        snapshot_of(code)


def archive_of(*entries: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(b"x" * entry.size))
    return packed.getvalue()


def a_link() -> tarfile.TarInfo:
    entry = tarfile.TarInfo("link")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return entry


@pytest.mark.parametrize(
    ("archive", "says"),
    [
        (b"no archive", "not zipped"),
        (gzip.compress(b"no tar" * 200), "no tar archive"),
        (pack_code({"a": b"1"})[:-9], "is cut"),
        (archive_of(a_link()), "'link' is no plain file"),
        (archive_of(tarfile.TarInfo("a"), tarfile.TarInfo("a")), "is there twice"),
        (gzip.compress(bytes(64 << 20)), "holds more than 33,554,432 bytes"),
        (archive_of(*(tarfile.TarInfo(str(n)) for n in range(MOST_FILES + 1))), "more than 2,000 files"),
    ],
    # By themselves they would be named after their bytes, in which stands when they were made.
    ids=["bytes", "zip-only", "cut", "link", "twice", "bomb", "many"],
)
def test_an_archive_that_is_no_code_is_refused_with_its_reason(archive: bytes, says: str) -> None:
    with pytest.raises(CodeArchiveError, match=says):
        code_of({ARCHIVE_KEY: archive})


def test_plain_keys_are_code_as_they_are() -> None:
    assert (
        json.dumps({key: data.decode() for key, data in code_of({"a.py": b"1"}).items()}) == '{"a.py": "1"}'
    )
