"""Parameters of every type: in arguments, in the environment, and as the data of inputs."""

from towpath import (
    DataPath,
    DataPathComputeBinding,
    Dataset,
    DatasetConsumptionConfig,
    Pipeline,
    PipelineParameter,
    PythonScriptStep,
    Workspace,
)


def define(workspace: Workspace) -> Pipeline:
    """Let a run choose numbers, words and data."""
    rate = PipelineParameter("rate", 0.001)
    epochs = PipelineParameter("epochs", 3)
    shuffle = PipelineParameter("shuffle", True)
    label = PipelineParameter("label", "yes")
    data = PipelineParameter("data", Dataset.get_by_name(workspace, "raw_data", version=1))
    folder = PipelineParameter("folder", DataPath(workspace.datastores["training_data"], "days/monday"))
    where = (folder, DataPathComputeBinding(mode="download", path_on_compute="days"))
    train = PythonScriptStep(
        "train.py",
        name="train",
        arguments=["--rate", rate, "--epochs", epochs, "--shuffle", shuffle, "--folder", folder],
        inputs=[DatasetConsumptionConfig("raw", data), where],
        params={"label": label, "seed": 7},
        version="2",
    )
    return Pipeline(workspace, [train])
