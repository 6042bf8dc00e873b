"""A CSV dataset, split by row over two steps that read it as files: disjoint, complete; and a part of a Parquet one."""

from __future__ import annotations

import base64
import json

import pytest

from cluster.space import Space
from e2e.tenant import Tenant, condition, is_ready, step_of
from mover.parquet_files import ids, numbered
from mover.row_files import selected_rows

pytestmark = pytest.mark.story

SHOW = """
import json, os, sys
top = sys.argv[1]
found = {}
for folder, _, names in os.walk(top):
    for name in names:
        with open(os.path.join(folder, name), newline="", encoding="utf-16") as file:
            found[os.path.relpath(os.path.join(folder, name), top)] = file.read()
print(json.dumps(found))
"""
SHOW_BYTES = """
import base64, json, pathlib, sys
top = pathlib.Path(sys.argv[1])
found = {str(file.relative_to(top)): file.read_bytes() for file in top.rglob("*.parquet")}
print(json.dumps({path: base64.b64encode(content).decode() for path, content in found.items()}))
"""
HEADER = "id;petal\r\n"
ROWS = {
    path: [f'{row};"wide\n{path}"\r\n' for row in range(count)]
    for path, count in (("a.csv", 40), ("more/b.csv", 25), ("more/c.csv", 0))
}
FORMAT = {"csv": {"separator": ";", "encoding": "utf16"}}
PARTS = [{"name": "train", "percent": 70}, {"name": "test"}]
VIEWS = {part: [{"split": {"parts": PARTS, "part": part, "seed": 7}}] for part in ("train", "test")}


def _reads(step: str, dataset: str, part: str, show: str) -> dict[str, object]:
    """A step that shows the files of this part."""
    given = {"name": dataset, "transforms": VIEWS[part]}
    return {"name": step, "command": ["python3", "-c", show, f"$(inputs.{dataset}.path)"], "inputs": [given]}


def test_two_steps_read_disjoint_rows_of_one_dataset_that_together_are_all(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    files = {path: "".join((HEADER, *rows)).encode("utf-16") for path, rows in ROWS.items()}
    for path, content in files.items():
        space.put(f"rows/{path}", content)
    space.put("torn/a.csv", b"id\n1\n2,3\n")
    tenant.apply("Dataset", "rows", {"type": "Tabular", "format": FORMAT, "sources": [{"path": "rows/"}]})
    tenant.apply(
        "Dataset", "torn", {"type": "Tabular", "format": {"csv": {}}, "sources": [{"path": "torn/"}]}
    )
    counts = {"a.parquet": 40, "more/b.parquet": 25}
    tables = {path: numbered(count) for path, count in counts.items()}
    for path, content in tables.items():
        space.put(f"tables/{path}", content)
    tenant.apply(
        "Dataset", "tables", {"type": "Tabular", "format": {"parquet": {}}, "sources": [{"path": "tables/"}]}
    )
    tenant.until("datasets", "rows", is_ready)
    tenant.until("datasets", "tables", is_ready)

    steps = [_reads(part, "rows", part, SHOW) for part in VIEWS]
    run = tenant.start_steps(*steps, _reads("parquet", "tables", "train", SHOW_BYTES))
    status = tenant.finish(run)

    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    rows = {path: [row.encode() for row in of] for path, of in ROWS.items()}
    for part, chain in VIEWS.items():
        seen = json.loads(tenant.log(run, part))
        expected = selected_rows(chain, files, rows)
        assert seen == {path: HEADER + b"".join(kept).decode() for path, kept in expected.items()}
        size = sum(len(content.encode("utf-16")) for content in seen.values())
        assert step_of(status, part)["bytesIn"] == size
    _check_parquet(tenant, run, tables, counts)
    version = tenant.get("datasetversions", "rows-v1")["spec"]
    assert version["schema"]["columns"] == [
        {"name": "id", "type": "integer"},
        {"name": "petal", "type": "string"},
    ]
    torn = tenant.until(
        "datasets", "torn", lambda status: condition(status, "Ready").get("reason") == "BadRow"
    )
    assert "'a.csv', line 3, column 1" in condition(torn, "Ready")["message"]


def _check_parquet(tenant: Tenant, run: str, tables: dict[str, bytes], counts: dict[str, int]) -> None:
    seen = json.loads(tenant.log(run, "parquet"))
    rows = {path: [b"%d" % row for row in range(count)] for path, count in counts.items()}
    expected = selected_rows(VIEWS["train"], tables, rows)
    assert {path: ids(base64.b64decode(content)) for path, content in seen.items()} == {
        path: [int(row) for row in kept] for path, kept in expected.items()
    }
    columns = tenant.get("datasetversions", "tables-v1")["spec"]["schema"]["columns"]
    assert columns == [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}]
