"""What must be true of the article's story, wherever it is told."""

from __future__ import annotations

import pytest

from sdk.article import PICTURES, Article, said
from towpath import CanonicalFormWarning, Dataset, DefinitionError, FileDataset, PipelineData

SECONDS = 240


def tell(article: Article) -> None:
    """Tell the story, chapter after chapter."""
    article.prepare()
    datasets_are_read_sampled_and_split(article)
    outputs_are_published_from_wherever_they_were_written(article)
    one_file_goes_from_step_to_step_and_is_kept(article)
    a_script_finds_its_dataset_by_name(article)


def datasets_are_read_sampled_and_split(article: Article) -> None:
    """S2 to S5."""
    with pytest.warns(CanonicalFormWarning) as warned:
        run = article.look(*article.datasets())
    assert codes_of(warned) == {"H1", "H2", "H3", "H4"}
    assert run.wait(SECONDS, show_output=False) == "Succeeded"
    assert said(run, "mount_data") == ["iris iris.csv 301"]
    train, test = _counts(said(run, "split_data"))
    # Both have the header; of 300 rows the article's seed draws 18, and three of them for the test.
    assert (train - 1, test - 1) == (15, 3)
    paths = said(run, "train_data")[0].split()
    assert [path.rpartition("/")[2] for path in paths] == ["iris.csv", "iris.csv"]
    assert {path.split("/")[-2] for path in paths} == {"train", "test"}
    wanted = sorted(f"picture {name} {len(content)}" for name, content in PICTURES)
    assert sorted(said(run, "list_pictures")) == wanted
    assert run.get_metrics()["split_data"] == {"inputs": 2}


def outputs_are_published_from_wherever_they_were_written(article: Article) -> None:
    """S7 and S8."""
    run = article.prepare_data()
    assert run.wait(SECONDS, show_output=False) == "Succeeded"
    folder = run.get_pipeline_output("prep_data/clean_data").fetch(show_progress=False)
    assert "raw_data" in (folder / "clean.csv").read_text()
    relative = run.get_pipeline_output("relative/clean_data").fetch(show_progress=False)
    assert (relative / "part.txt").read_text() == "relative"


def one_file_goes_from_step_to_step_and_is_kept(article: Article) -> None:
    """S9 to S12."""
    with pytest.warns(CanonicalFormWarning) as warned:
        run, output = article.two_steps()
    assert codes_of(warned) == {"H13", "H14"}
    assert run.wait(SECONDS, show_output=False) == "Succeeded"
    assert said(run, "read_pipeline_data") == ["Step 1's output"]
    kept = Dataset.get_by_name(article.workspace, "processed_data")
    assert isinstance(kept, FileDataset)
    assert (kept.version, len(kept.to_path())) == (1, 1)
    [file] = kept.download(str(article.folder.parent / "kept"))
    with open(file) as f:  # noqa: PTH123 - as a user would
        assert f.read() == "Step 1's output"
    _cannot_be_registered_any_more(run.name, output)


def a_script_finds_its_dataset_by_name(article: Article) -> None:
    """S6."""
    run = article.look_up()
    assert run.wait(SECONDS, show_output=False) == "Succeeded"
    [path] = said(run, "look_up")
    assert path.endswith("/inputs/mnist_opendataset")


def _cannot_be_registered_any_more(run: str, output: PipelineData) -> None:
    with pytest.raises(DefinitionError, match=f"towpath cp run:{run}/generate_data/processed_data"):
        output.as_dataset().register(name="too_late")


def codes_of(warned: pytest.WarningsRecorder) -> set[str | None]:
    """The defects of the article that were met."""
    return {one.message.code for one in warned if isinstance(one.message, CanonicalFormWarning)}


def _counts(lines: list[str]) -> tuple[int, int]:
    found = {name: int(count) for name, _, count in (line.split() for line in lines)}
    return found["train"], found["test"]
