"""Rows and columns of what a step writes: parts of it are read by others, and the whole is registered."""

from towpath import Dataset, OutputFileDatasetConfig, Pipeline, PipelineData, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Train with some rows of a table that a step has cleaned, test with the others, and look at few columns."""
    iris = Dataset.Tabular.from_delimited_files((workspace.datastores["training_data"], "iris.csv"))
    few = iris.keep_columns(["sepal_length", "species"]).as_named_input("iris")
    table = OutputFileDatasetConfig("clean").read_delimited_files().register_on_complete("clean")
    other = PipelineData("other")
    prep = PythonScriptStep(
        "dataprep.py",
        name="prep",
        inputs=[few],
        arguments=["--output-path", table],
        outputs=[other],
    )
    first, second = table.random_split(0.8, seed=42)
    seen = other.as_dataset().parse_delimited_files(separator=";").drop_columns("note").as_named_input("seen")
    train = PythonScriptStep(
        "train.py",
        name="train",
        arguments=[first, second.drop_columns("species"), seen],
        inputs=[first, seen, second.drop_columns("species")],
    )
    return Pipeline(workspace, [prep, train])
