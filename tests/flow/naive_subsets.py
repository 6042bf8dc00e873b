"""Views, written again from docs/explanation/views.md alone; run as a program, it writes the golden vectors anew.

It shares nothing with the package: lists instead of streams, fractions instead of cuts in a row of draws.
"""

from __future__ import annotations

import hashlib
import json
import os.path
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "golden/subsets"
Record = tuple[Any, ...]  # (path, size) of a file, (path, size, row) of a row


def digest(seed: int, position: int, kind: str, record_id: str) -> bytes:
    return hashlib.blake2b(record_id.encode(), key=f"{seed} {position} {kind}".encode()).digest()


def u(hashed: bytes) -> Fraction:
    return Fraction(int.from_bytes(hashed[:8], "big") >> 11, 2**53)


def naive_select(chain: list[dict[str, Any]], records: list[Record]) -> list[Record]:
    for position, transform in enumerate(chain):
        [(kind, given)] = transform.items()
        records = naive_step(position, kind, given, records)
    return records


def naive_step(position: int, kind: str, given: dict[str, Any], records: list[Record]) -> list[Record]:
    count = given.get("count", 0)
    if kind == "take":
        return records[:count]
    if kind == "skip":
        return records[count:]
    if kind == "shard":
        return [record for place, record in enumerate(records) if place % count == given["index"]]
    if kind == "filter":
        return [record for record in records if naive_filter(given, record)]
    begin, end = naive_range(given)
    drawn = {
        record: digest(given["seed"], position, kind, naive_id(record, given.get("groupBy")))
        for record in records
    }
    if not given.get("exact"):
        return [record for record in records if begin <= u(drawn[record]) < end]
    ordered = sorted(set(drawn.values()))
    taken = set(ordered[nearest(begin * len(ordered)) : nearest(end * len(ordered))])
    return [record for record in records if drawn[record] in taken]


def naive_range(given: dict[str, Any]) -> tuple[Fraction, Fraction]:
    if "parts" not in given:
        return Fraction(0), Fraction(given["percent"]) / 100
    rest = 100 - sum(Fraction(part.get("percent", 0)) for part in given["parts"])
    place = [part["name"] for part in given["parts"]].index(given["part"])
    shares = [Fraction(part.get("percent", rest)) / 100 for part in given["parts"]]
    return sum(shares[:place], Fraction()), sum(shares[: place + 1], Fraction())


def nearest(number: Fraction) -> int:
    return (number + Fraction(1, 2)).__floor__()


def naive_id(record: Record, group_by: str | None) -> str:
    path = str(record[0])
    if len(record) == 3:
        return f"{path}\0{record[2]}"
    if group_by is None:
        return path
    return os.path.splitext(path)[0] if group_by == "Stem" else os.path.dirname(path)  # noqa: PTH120, PTH122


def naive_filter(given: dict[str, Any], record: Record) -> bool:
    inside = given.get("minBytes", 0) <= record[1] <= given.get("maxBytes", record[1])
    pattern = re.escape(given.get("path", "**"))
    for glob, expression in ((r"\*\*/", "(.*/)?"), (r"\*\*", ".+"), (r"\*", "[^/]*"), (r"\?", "[^/]")):
        pattern = pattern.replace(glob, expression.replace("*", "\1"))
    return inside and bool(re.fullmatch(pattern.replace("\1", "*"), record[0], re.DOTALL))


def draw_of(vector: dict[str, Any]) -> dict[str, Any]:
    hashed = digest(vector["seed"], vector["position"], vector["kind"], vector["id"])
    return {"first53bits": int(u(hashed) * 2**53), "u": f"{float(u(hashed)):.9f}"}


def file_records(golden: dict[str, Any]) -> list[Record]:
    return [(path, size) for path, size in golden["files"]]


def row_records(golden: dict[str, Any]) -> list[Record]:
    return [(path, size, row) for path, size, rows in golden["files"] for row in range(rows)]


def main() -> None:
    for name in ("files", "rows"):
        golden = json.loads((GOLDEN / f"{name}.json").read_text())
        records = file_records(golden) if name == "files" else row_records(golden)
        for view in golden["views"]:
            selected = naive_select(view["transforms"], records)
            view["selected"] = [
                record[0] if name == "files" else [record[0], record[2]] for record in selected
            ]
        write(name, golden)
    drawn = json.loads((GOLDEN / "draws.json").read_text())
    write("draws", {"draws": [vector | draw_of(vector) for vector in drawn["draws"]]})


def write(name: str, golden: dict[str, Any]) -> None:
    """One line for each file, view and draw, so that a difference can be read."""
    blocks = []
    for key, members in golden.items():
        lines = ",\n".join("    " + json.dumps(member, ensure_ascii=False) for member in members)
        blocks.append(f'  "{key}": [\n{lines}\n  ]')
    (GOLDEN / f"{name}.json").write_text("{\n" + ",\n".join(blocks) + "\n}\n")


if __name__ == "__main__":
    main()
