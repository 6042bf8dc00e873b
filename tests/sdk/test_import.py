"""`import towpath` costs nothing: what is loaded, is loaded when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import towpath

SDK = Path(towpath.__file__).parents[1]
LOADED = "import sys, towpath; {}; print(*sorted(name for name in sys.modules if name.split('.')[0] in {}))"
HEAVY = ("pydantic", "kubernetes", "yaml", "kopf", "aiohttp", "obstore", "pyarrow", "pandas", "click", "rich")


def loaded(statement: str, *packages: str) -> list[str]:
    """The modules of these packages that are loaded after a statement."""
    script = LOADED.format(statement, packages)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return ended.stdout.split()


def test_importing_it_loads_itself_and_nothing_else() -> None:
    assert loaded("0", "towpath", *HEAVY) == ["towpath"]


def test_importing_it_does_not_even_load_typing() -> None:
    # Without site, whose .pth files load what they like. It was nine tenths of the import's time.
    script = f"import sys; sys.path.insert(0, {str(SDK)!r}); import towpath; print('typing' in sys.modules)"
    ended = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"


def test_defining_a_pipeline_loads_no_client_and_no_mover() -> None:
    statement = "towpath.Pipeline, towpath.PythonScriptStep, towpath.Dataset, towpath.Workspace"
    found = {name.split(".")[0] for name in loaded(statement, *HEAVY, "towpath_mover", "towpath_operator")}
    assert found <= {"pydantic", "yaml"}


def test_a_step_s_names_load_the_standard_library_only() -> None:
    assert loaded("towpath.Run, towpath.Dataset.get_by_name", *HEAVY) == []


@pytest.mark.parametrize("name", towpath.__all__)
def test_every_public_name_is_there_and_has_a_docstring(name: str) -> None:
    assert getattr(towpath, name).__doc__


def test_the_list_of_names_is_what_can_be_loaded() -> None:
    assert set(towpath.__all__) <= set(dir(towpath))
    assert sorted(towpath._HOME_OF) == sorted(towpath.__all__)


def test_an_unknown_name_is_told_with_what_was_meant() -> None:
    with pytest.raises(
        AttributeError, match=r"towpath has no PythonScriptSetp. Did you mean PythonScriptStep"
    ):
        towpath.PythonScriptSetp  # noqa: B018
