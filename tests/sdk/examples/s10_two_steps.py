"""S10: two steps and the pipeline; S9 and S11 are their scripts."""

from towpath import (
    Environment,
    Pipeline,
    PipelineData,
    PythonScriptStep,
    RunConfiguration,
    Workspace,
)


def define(workspace: Workspace) -> Pipeline:
    """Hand one file from step to step."""
    compute = workspace.compute_targets["cpu_cluster"]
    aml_run_config = RunConfiguration()
    aml_run_config.target = "cpu_cluster"
    aml_run_config.environment = Environment.from_docker_image("plain", "python:3.12-slim")
    def_blob_store = workspace.get_default_datastore()
    step1_output_data = PipelineData("processed_data", datastore=def_blob_store, output_mode="upload")
    workspace.datastores["my_adlsgen2"]
    step1 = PythonScriptStep(
        name="generate_data",
        script_name="step1.py",
        runconfig=aml_run_config,
        arguments=["--output_path", step1_output_data],
        inputs=[],
        outputs=[step1_output_data],
    )
    step2 = PythonScriptStep(
        name="read_pipeline_data",
        script_name="step2.py",
        compute_target=compute,
        runconfig=aml_run_config,
        arguments=["--pd", step1_output_data],
        inputs=[step1_output_data],
    )
    return Pipeline(workspace=workspace, steps=[step1, step2])
