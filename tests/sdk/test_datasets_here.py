"""Datasets and datastores of a real workspace of this machine: register, tag, upload, download, read as a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.desk import Desk, a_desk
from sdk.article import FLOWERS, said
from towpath import (
    AlreadyExistsError,
    Dataset,
    DatasetExecutionError,
    DatasetValidationError,
    Datastore,
    DataType,
    FileDataset,
    NotFoundError,
    Pipeline,
    PythonScriptStep,
    TabularDataset,
    UnknownNameError,
    UserErrorException,
    Workspace,
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One workspace for these tests: each has names of its own."""
    with a_desk(tmp_path_factory.mktemp("workspace")) as made:
        yield made


@pytest.fixture
def workspace(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """It, with a cache of the test's own."""
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    return Workspace.local(desk.folder)


@pytest.fixture
def store(workspace: Workspace) -> Datastore:
    """Its default datastore."""
    return workspace.get_default_datastore()


@pytest.fixture(scope="module")
def flowers(desk: Desk) -> TabularDataset:
    """150 flowers, registered as a table."""
    workspace = Workspace.local(desk.folder)
    default = workspace.get_default_datastore()
    default.upload_files([str(FLOWERS)], show_progress=False)
    table = Dataset.Tabular.from_delimited_files((default, "iris.csv"))
    return table.register(workspace, "iris", tags={"team": "a"})


def pets(folder: Path) -> Path:
    """Three files, one of them in a folder."""
    for name, content in (("cats/1.jpg", "cat"), ("dogs/1.jpg", "dog"), ("readme.txt", "text")):
        (folder / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "pets" / name).write_text(content)
    return folder / "pets"


def test_a_folder_is_uploaded_registered_listed_and_downloaded(
    workspace: Workspace, store: Datastore, tmp_path: Path
) -> None:
    dataset = Dataset.File.upload_directory(
        str(pets(tmp_path)), (store, "pets-1"), pattern="**/*.jpg", show_progress=False
    ).register(workspace, "my_pets", description="Pets")
    assert isinstance(dataset, FileDataset)
    assert (dataset.name, dataset.version, dataset.description) == ("my_pets", 1, "Pets")
    assert dataset.to_path() == ["/cats/1.jpg", "/dogs/1.jpg"]
    [cat, _] = dataset.download(str(tmp_path / "here"))
    assert Path(cat).read_text() == "cat"
    with pytest.raises(UserErrorException, match="exist already: nothing was downloaded"):
        dataset.download(str(tmp_path / "here"))
    assert workspace.datasets["my-pets"].id == dataset.id
    assert Dataset.get_by_id(workspace, str(dataset.id)).version == 1


def test_parts_of_a_dataset_are_the_same_files_here(
    workspace: Workspace, store: Datastore, tmp_path: Path
) -> None:
    whole = Dataset.File.upload_directory(str(pets(tmp_path)), (store, "pets-2"), show_progress=False)
    whole = whole.register(workspace, "pets_in_parts")
    first, second = whole.random_split(0.5, seed=7)
    assert sorted(first.to_path() + second.to_path()) == whole.to_path()
    assert [Path(file).name for file in whole.filter(path="*.txt").download()] == ["readme.txt"]
    with pytest.raises(UserErrorException, match="has no seed"):
        whole.take_sample(0.5).to_path()


def test_equal_files_are_left_and_other_content_is_an_error(store: Datastore, tmp_path: Path) -> None:
    folder = pets(tmp_path)
    store.upload(str(folder), "pets-3", show_progress=False)
    store.upload(str(folder), "pets-3", show_progress=False)
    (folder / "readme.txt").write_text("other")
    with pytest.raises(UserErrorException, match=r"pets-3/readme.txt is there already, with other content"):
        store.upload(str(folder), "pets-3", show_progress=False)
    store.upload(str(folder), "pets-3", overwrite=True, show_progress=False)
    assert store.download(str(tmp_path / "back"), "pets-3/", show_progress=False) == 3
    assert (tmp_path / "back" / "pets-3" / "readme.txt").read_text() == "other"
    assert store.download(str(tmp_path / "back"), "pets-3/", show_progress=False) == 0


def test_single_files_lie_as_they_lie_below_their_root(store: Datastore, tmp_path: Path) -> None:
    folder = pets(tmp_path)
    files = [str(folder / "cats/1.jpg"), str(folder / "dogs/1.jpg")]
    store.upload_files(files, target_path="pets-4", show_progress=False)
    assert store.download(str(tmp_path / "back"), "pets-4/cats", show_progress=False) == 1
    with pytest.raises(UserErrorException, match="does not lie below relative_root"):
        store.upload_files(files, relative_root=str(folder / "cats"), show_progress=False)


def test_other_sources_need_to_be_asked_for(workspace: Workspace, store: Datastore, tmp_path: Path) -> None:
    first = Dataset.File.upload_directory(str(pets(tmp_path)), (store, "pets-5"), show_progress=False)
    assert first.register(workspace, "again").version == 1
    assert first.register(workspace, "again").version == 1
    second = Dataset.File.from_files((store, "pets-5/cats"))
    with pytest.raises(AlreadyExistsError, match="create_new_version=True"):
        second.register(workspace, "again")
    assert second.register(workspace, "again", create_new_version=True).version == 2
    assert Dataset.get_by_name(workspace, "again", 1).version == 1
    with pytest.raises(NotFoundError, match=r"no version 3. Its versions are 1, 2"):
        Dataset.get_by_name(workspace, "again", 3)


def test_what_is_not_there_is_said_by_the_one_who_looked(workspace: Workspace, store: Datastore) -> None:
    with pytest.raises(DatasetValidationError, match="nowhere"):
        Dataset.File.from_files((store, "nowhere")).register(workspace, "nothing")


def test_unknown_names_list_what_exists(workspace: Workspace, flowers: TabularDataset) -> None:
    with pytest.raises(NotFoundError, match=r"no Dataset irsi .*Did you mean iris"):
        Dataset.get_by_name(workspace, "irsi")
    with pytest.raises(UnknownNameError, match=r"no Datastore defalut .*Did you mean default"):
        workspace.datastores["defalut"]


def test_tags_and_description_can_be_edited(workspace: Workspace, flowers: TabularDataset) -> None:
    table = Dataset.get_by_name(workspace, "iris")
    table.add_tags({"use": "training"})
    assert Dataset.get_by_name(workspace, "iris").tags == {"team": "a", "use": "training"}
    with pytest.raises(UserErrorException, match="other values"):
        table.add_tags({"use": "test"})
    table.remove_tags(["use"])
    table.update(description="Flowers")
    assert Dataset.get_by_name(workspace, "iris").tags == {"team": "a"}
    assert Dataset.get_by_name(workspace, "iris").description == "Flowers"


def test_a_table_becomes_a_data_frame(workspace: Workspace, flowers: TabularDataset) -> None:
    frame = Dataset.get_by_name(workspace, "iris").to_pandas_dataframe()
    assert list(frame.columns)[-1] == "species"
    assert (len(frame), round(float(frame["sepal_length"].mean()), 3)) == (150, 5.843)


def test_a_split_of_rows_is_here_what_it_is_in_a_step(
    workspace: Workspace, flowers: TabularDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, test = Dataset.get_by_name(workspace, "iris").random_split(0.8, seed=42)
    here = test.to_pandas_dataframe()
    assert len(here) + len(train.to_pandas_dataframe()) == 150
    (tmp_path / "show.py").write_text("import sys; print(open(sys.argv[1]).read(), end='')")
    monkeypatch.chdir(tmp_path)
    step = PythonScriptStep("show.py", arguments=[test.as_named_input("test")])
    run = Pipeline(workspace, [step]).submit("rows")
    assert run.wait(120, show_output=False) == "Succeeded"
    there = [line for line in said(run, "show") if line]
    assert there == here.to_csv(index=False).splitlines()


def test_columns_get_the_types_that_are_said(workspace: Workspace, store: Datastore, tmp_path: Path) -> None:
    (tmp_path / "mixed.csv").write_text("day;share;n\n2026-01-02;1,5;3\nno day;x;4.5\n")
    store.upload_files([str(tmp_path / "mixed.csv")], show_progress=False)
    types = {
        "day": DataType.to_datetime("%Y-%m-%d"),
        "share": DataType.to_float(","),
        "n": DataType.to_long(),
    }
    table = Dataset.Tabular.from_delimited_files((store, "mixed.csv"), separator=";", set_column_types=types)
    table = table.register(workspace, "mixed")
    table.reading = {"types": types}
    frame = table.to_pandas_dataframe()
    assert (str(frame["day"][0])[:10], frame["share"][0], frame["n"][0]) == ("2026-01-02", 1.5, 3)
    assert frame.isna().sum().to_dict() == {"day": 1, "share": 1, "n": 1}
    with pytest.raises(DatasetExecutionError, match="Row 1 of column 'share' is no float: 'x'"):
        table.to_pandas_dataframe(on_error="fail")


def test_a_data_frame_is_registered_once_for_each_content(workspace: Workspace, store: Datastore) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    first = Dataset.Tabular.register_pandas_dataframe(
        frame, (store, "frames"), "numbers", show_progress=False
    )
    again = Dataset.Tabular.register_pandas_dataframe(
        frame, (store, "frames"), "numbers", show_progress=False
    )
    assert (first.version, again.version, first.id == again.id) == (1, 1, True)
    assert again.to_pandas_dataframe().equals(frame)


def test_what_is_not_registered_cannot_be_read_yet(store: Datastore) -> None:
    with pytest.raises(UserErrorException, match="not registered"):
        Dataset.File.from_files((store, "pets-1")).to_path()


def test_unregistering_takes_the_records_and_leaves_the_data(
    workspace: Workspace, store: Datastore, tmp_path: Path
) -> None:
    dataset = Dataset.File.upload_directory(str(pets(tmp_path)), (store, "pets-6"), show_progress=False)
    dataset.register(workspace, "short_lived").unregister_all_versions()
    with pytest.raises(NotFoundError):
        Dataset.get_by_name(workspace, "short_lived")
    assert store.download(str(tmp_path / "back"), "pets-6/", show_progress=False) == 3


def test_code_with_folders_reaches_its_step(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "code" / "lib").mkdir(parents=True)
    (tmp_path / "code" / "lib" / "words.py").write_text("WORD = 'from a folder'\n")
    (tmp_path / "code" / "main.py").write_text("from lib.words import WORD\nprint(WORD)\n")
    step = PythonScriptStep("main.py", source_directory=str(tmp_path / "code"))
    run = Pipeline(workspace, [step]).submit("folders")
    assert run.wait(120, show_output=False) == "Succeeded"
    assert said(run, "main") == ["from a folder"]
