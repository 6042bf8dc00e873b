"""S3: one input, mounted."""

from towpath import DataPath, Dataset, Datastore, Pipeline, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Mount the table where that is possible."""
    cluster = "cpu_cluster"
    datastore = Datastore.get(workspace, "training_data")
    iris_dataset = Dataset.Tabular.from_delimited_files(DataPath(datastore, "iris.csv"))
    train_step = PythonScriptStep(
        name="train_data",
        script_name="train.py",
        compute_target=cluster,
        inputs=[iris_dataset.as_named_input("iris").as_mount()],
    )
    return Pipeline(workspace, [train_step])
