"""S4: a sample, split in two, both sides downloaded."""

from towpath import DataPath, Dataset, Datastore, Pipeline, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Train and test with parts of a tenth."""
    cluster = "cpu_cluster"
    iris_dataset = Dataset.Tabular.from_delimited_files(
        DataPath(Datastore.get(workspace, "training_data"), "iris.csv")
    )
    seed = 42
    smaller_dataset = iris_dataset.take_sample(0.1, seed=seed)
    train, test = smaller_dataset.random_split(percentage=0.8, seed=seed)
    train_step = PythonScriptStep(
        name="train_data",
        script_name="train.py",
        compute_target=cluster,
        inputs=[train.as_named_input("train").as_download(), test.as_named_input("test").as_download()],
    )
    return Pipeline(workspace, [train_step])
