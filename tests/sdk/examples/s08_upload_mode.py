"""S8: an output with a place of its own, a folder in the working directory."""

from towpath import Pipeline, PipelineData, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Write into a folder that is there when the step starts."""
    def_blob_store = workspace.get_default_datastore()
    clean_data = PipelineData(
        "clean_data",
        datastore=def_blob_store,
        output_mode="upload",
        output_path_on_compute="clean_data_output/",
    )
    step = PythonScriptStep("step1.py", name="prep_data", outputs=[clean_data])
    return Pipeline(workspace, [step])
