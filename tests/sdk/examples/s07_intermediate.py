"""S7: an intermediate output; a dataset by itself is an input named after it."""

from towpath import Dataset, Pipeline, PipelineData, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Write clean data."""
    cluster = "cpu_cluster"
    default_datastore = workspace.get_default_datastore()
    dataprep_output = PipelineData("clean_data", datastore=default_datastore)
    dataprep_step = PythonScriptStep(
        name="prep_data",
        script_name="dataprep.py",
        compute_target=cluster,
        arguments=["--output-path", dataprep_output],
        inputs=[Dataset.get_by_name(workspace, "raw_data")],
        outputs=[dataprep_output],
    )
    return Pipeline(workspace, [dataprep_step])
