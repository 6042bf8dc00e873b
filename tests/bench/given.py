"""What the bench moves: files of noise, a CSV file, and archives of a folder."""

from __future__ import annotations

import os
import random
import tarfile
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

MiB = 1 << 20


def noise_files(folder: Path, files: int, size: int) -> Path:
    """Write files that nothing can compress; they are on the disk when this returns."""
    for number in range(files):
        with _created(folder, number).open("wb") as opened:
            for piece in _noise(size):
                opened.write(piece)
    # What the disk still writes would cost whoever comes first.
    os.sync()
    return folder


def text_files(folder: Path, files: int, size: int) -> Path:
    """Write files that compress to three quarters."""
    for number in range(files):
        _created(folder, number).write_bytes(b64encode(os.urandom(size * 3 // 4)))
    return folder


def tar_of(folder: Path, file: Path) -> Path:
    """Write a tar.gz of a folder."""
    with tarfile.open(file, "w:gz", compresslevel=1) as archive:
        archive.add(folder, arcname=".")
    return file


def zip_of(folder: Path, file: Path) -> Path:
    """Write a zip of a folder."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for place in sorted(folder.rglob("*.bin")):
            archive.write(place, place.relative_to(folder))
    return file


def csv_file(file: Path, size: int) -> int:
    """Write about so many bytes of rows with numbers and quoted text, and return how many rows."""
    draw = random.Random(42)
    rows = 0
    with file.open("w") as opened:
        opened.write("id,name,text,x,y,label\n")
        while opened.tell() < size:
            block = [_row(rows + number, draw) for number in range(10_000)]
            opened.writelines(block)
            rows += len(block)
    return rows


def _row(number: int, draw: random.Random) -> str:
    x, y = draw.random(), draw.random()
    return f'{number},name-{number % 997},"some, ""quoted"" text",{x:.6f},{y:.6f},{number % 7}\n'


def _created(folder: Path, number: int) -> Path:
    file = folder / f"part-{number % 50:02}" / f"file-{number:06}.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _noise(size: int) -> Iterator[bytes]:
    while size > 0:
        yield os.urandom(min(size, MiB))
        size -= MiB
