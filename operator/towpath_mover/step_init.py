"""What `import towpath` finds in a step: the image's own Towpath if it has one, else what a script may ask.

`step_python.py` places this file as `towpath/__init__.py`. Standard library only, Python 3.9 and later.
"""

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path

_HOMES = {
    "ActivityFailedException": "errors",
    "CanonicalFormWarning": "notices",
    "Dataset": "dataset",
    "DatasetExecutionError": "errors",
    "NotFoundError": "errors",
    "Run": "run_context",
    "RunEnvironmentException": "errors",
    "TowpathError": "errors",
    "UnknownNameError": "errors",
    "UserErrorException": "errors",
}


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    if name not in _HOMES:
        raise AttributeError(
            f"towpath has no {name} in a step, but {', '.join(sorted(_HOMES))}. Pipelines are defined and submitted "
            "elsewhere; for all of it the step's image needs towpath installed."
        )
    return getattr(import_module(f"towpath.{_HOMES[name]}"), name)


def _become_the_images_own() -> None:
    """Run the image's package in place of this one: it is what its owner chose."""
    here = Path(__file__).resolve().parents[1]
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    found = PathFinder.find_spec("towpath", others)
    if found is None or found.loader is None:
        return
    module = sys.modules["towpath"]
    module.__spec__ = found
    module.__file__ = found.origin
    module.__path__ = list(found.submodule_search_locations or [])
    found.loader.exec_module(module)


if __name__ == "towpath":
    _become_the_images_own()
