"""Places the part of the SDK that a step's script may import, so that `from towpath import Run` works in any Python.

The launcher puts its folder at the end of PYTHONPATH. It lies where the step cannot write.
"""

from __future__ import annotations

from pathlib import Path

from towpath.flow import names

# Modules of `towpath` that import each other and the standard library, nothing else.
MODULES = (
    "archives",
    "consumption",
    "data_type",
    "datapath",
    "dataset",
    "dataset_base",
    "errors",
    "factories",
    "file_dataset",
    "file_filter",
    "flow/__init__",
    "flow/names",
    "flow/near_names",
    "inputs",
    "metric_file",
    "notices",
    "offline_run",
    "parameter",
    "path_inputs",
    "port_names",
    "registered",
    "run_context",
    "spelling",
    "staged",
    "staged_frame",
    "tabular_dataset",
    "view",
)
_SDK = Path(names.__file__).parents[1]
_INIT = Path(__file__).with_name("step_init.py")


def place_python(folder: Path) -> None:
    """Place the package `towpath` in a folder; doing it again changes nothing."""
    package = folder / "towpath"
    (package / "flow").mkdir(parents=True, exist_ok=True)
    for module in MODULES:
        (package / f"{module}.py").write_bytes((_SDK / f"{module}.py").read_bytes())
    (package / "__init__.py").write_bytes(_INIT.read_bytes())
