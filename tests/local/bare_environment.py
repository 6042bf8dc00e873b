"""An environment of Python as `pip install towpath` makes it: what it depends on, and none of the extras.

Nothing is fetched: it is made of links to what is installed here, so a run in it shows within seconds what is missing.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def make_bare_environment(folder: Path) -> Path:
    """Make it; its python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    here = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    for found in _with_all_that_it_needs("towpath"):
        for name in {path.parts[0] for path in found.files or () if ".." not in path.parts}:
            place = Path(here, name)
            if name != "__pycache__" and not place.exists():
                place.symlink_to(Path(str(found.locate_file(name))))
    return folder / "bin/python"


def _with_all_that_it_needs(name: str) -> list[Distribution]:
    wanted, found = [Requirement(name)], dict[str, Distribution]()
    while wanted:
        asked = wanted.pop()
        key = f"{asked.name.lower()}[{','.join(sorted(asked.extras))}]"
        if key in found:
            continue
        found[key] = distribution(asked.name)
        for line in found[key].requires or ():
            needed = Requirement(line)
            extras = asked.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(needed)
    return list(found.values())
