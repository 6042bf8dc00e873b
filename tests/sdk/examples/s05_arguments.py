"""S5: one input by argument, one by name."""

from towpath import DataPath, Dataset, Datastore, Pipeline, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Hand over a path as an argument; an input named there need not stand in `inputs`."""
    cluster = "cpu_cluster"
    iris_dataset = Dataset.Tabular.from_delimited_files(
        DataPath(Datastore.get(workspace, "training_data"), "iris.csv")
    )
    train, test = iris_dataset.random_split(percentage=0.8, seed=42)
    train_step = PythonScriptStep(
        name="train_data",
        script_name="train.py",
        compute_target=cluster,
        arguments=["--training-folder", train.as_named_input("train").as_download()],
        inputs=[test.as_named_input("test").as_download()],
    )
    return Pipeline(workspace, [train_step])
