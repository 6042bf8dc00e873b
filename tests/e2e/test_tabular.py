"""One CSV dataset, split by row over two steps that read it as files: disjoint, complete, each with its header."""

from __future__ import annotations

import json

import pytest

from cluster.space import Space
from e2e.tenant import Tenant, condition, is_ready, step_of
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
HEADER = "id;petal\r\n"
ROWS = {
    path: [f'{row};"wide\n{path}"\r\n' for row in range(count)]
    for path, count in (("a.csv", 40), ("more/b.csv", 25), ("more/c.csv", 0))
}
FORMAT = {"csv": {"separator": ";", "encoding": "utf16"}}
PARTS = [{"name": "train", "percent": 70}, {"name": "test"}]
VIEWS = {part: [{"split": {"parts": PARTS, "part": part, "seed": 7}}] for part in ("train", "test")}


def _reads(part: str) -> dict[str, object]:
    """A step that shows the files of this part."""
    given = {"name": "rows", "transforms": VIEWS[part]}
    return {"name": part, "command": ["python3", "-c", SHOW, "$(inputs.rows.path)"], "inputs": [given]}


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
    tenant.until("datasets", "rows", is_ready)

    run = tenant.start_steps(*(_reads(part) for part in VIEWS))
    status = tenant.finish(run)

    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    rows = {path: [row.encode() for row in of] for path, of in ROWS.items()}
    for part, chain in VIEWS.items():
        labels = f"towpath.dev/run={run},towpath.dev/step={part}"
        seen = json.loads(tenant.kubectl("logs", "-l", labels, "-c", "step"))
        expected = selected_rows(chain, files, rows)
        assert seen == {path: HEADER + b"".join(kept).decode() for path, kept in expected.items()}
        size = sum(len(content.encode("utf-16")) for content in seen.values())
        assert step_of(status, part)["bytesIn"] == size
    version = tenant.get("datasetversions", "rows-v1")["spec"]
    assert version["schema"]["columns"] == [
        {"name": "id", "type": "integer"},
        {"name": "petal", "type": "string"},
    ]
    torn = tenant.until(
        "datasets", "torn", lambda status: condition(status, "Ready").get("reason") == "BadRow"
    )
    assert "'a.csv', line 3, column 1" in condition(torn, "Ready")["message"]
