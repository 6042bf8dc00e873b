"""S2, as inputs of a step: a CSV file of a datastore, and the pictures in an archive of the web."""

from towpath import (
    ArchiveOptions,
    ArchiveType,
    CommandStep,
    DataPath,
    Dataset,
    Datastore,
    Pipeline,
    Workspace,
)


def define(workspace: Workspace) -> Pipeline:
    """Take both datasets as inputs."""
    datastore = Datastore.get(workspace, "training_data")
    iris_dataset = Dataset.Tabular.from_delimited_files(DataPath(datastore, "iris.csv"))
    cats_dogs_dataset = Dataset.File.from_files(
        paths="https://example.org/cats-and-dogs.zip",
        archive_options=ArchiveOptions(archive_type=ArchiveType.ZIP, entry_glob="**/*.jpg"),
    )
    look = CommandStep(
        ["ls", "-l", iris_dataset.as_named_input("iris"), cats_dogs_dataset.as_named_input("pets")],
        name="look",
    )
    return Pipeline(workspace, [look])
