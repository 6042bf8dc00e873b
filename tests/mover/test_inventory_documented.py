"""The reference page is enough to write a reader: another program, written from it alone, finds its digest."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.inventory_writer import write_inventory

REPOSITORY = Path(__file__).parents[2]
GOLDEN = REPOSITORY / "tests/golden/inventory"
PAGE = (REPOSITORY / "docs/reference/inventory.md").read_text()


def digest_as_documented(text: str) -> str:
    """Written from the page alone; it shares nothing with the mover."""
    header, *files = (json.loads(line) for line in text.splitlines())
    digest = hashlib.sha256(b"towpath-content 1\n")
    for file in sorted(files, key=lambda file: file["path"].encode()):
        fields = [file["path"], str(file["size"]), "x" if file.get("executable") else "-"]
        if "sha256" in file:
            fields += ["sha256", file["sha256"]]
        else:
            store = header["roots"][file.get("root", 0)]["datastore"]
            fields += ["etag", store, file["etag"], file.get("version", "")]
        digest.update("\t".join(fields).encode() + b"\n")
    return "sha256:" + digest.hexdigest()


def example() -> str:
    found = re.search(r"```json\n(.*?\n)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def documented_digest() -> str:
    found = re.search(r"canonical digest is `(sha256:[0-9a-f]{64})`", PAGE)
    assert found
    return found[1]


def test_the_example_of_the_page_is_the_golden_file() -> None:
    assert example() == (GOLDEN / "example.jsonl").read_text()
    assert gzip.decompress((GOLDEN / "example.jsonl.gz").read_bytes()).decode() == example()


def test_a_program_written_from_the_page_finds_the_documented_digest() -> None:
    assert digest_as_documented(example()) == documented_digest()


def test_the_mover_reads_the_golden_file_and_finds_the_documented_numbers() -> None:
    reader = InventoryReader([(GOLDEN / "example.jsonl.gz").read_bytes()], documented_digest())
    assert len(list(reader.entries())) == 8
    summary = reader.summary()
    assert summary.digest == documented_digest()
    assert f"It has {summary.files} files and {summary.bytes:,} bytes" in PAGE
    assert f"For the example: {summary.scratch_bytes:,}." in PAGE


def test_the_mover_writes_the_golden_text(tmp_path: Path) -> None:
    reader = InventoryReader([(GOLDEN / "example.jsonl.gz").read_bytes()])
    written = write_inventory(tmp_path / "inventory", reader.roots, reversed(list(reader.entries())))
    assert gzip.decompress(written.file.read_bytes()).decode() == example()
    assert written.document_sha256 == hashlib.sha256(example().encode()).hexdigest()


def test_a_written_inventory_has_no_time_and_no_name_in_it(tmp_path: Path) -> None:
    written = write_inventory(tmp_path / "inventory", InventoryReader([_empty()]).roots, [])
    header = written.file.read_bytes()[:10]
    assert header[3] == 0
    assert header[4:8] == b"\0\0\0\0"


def test_an_inventory_without_files_has_a_digest_of_its_own() -> None:
    reader = InventoryReader([_empty()])
    assert list(reader.entries()) == []
    assert reader.summary().digest == digest_as_documented(gzip.decompress(_empty()).decode())


def _empty() -> bytes:
    return (GOLDEN / "empty.jsonl.gz").read_bytes()
