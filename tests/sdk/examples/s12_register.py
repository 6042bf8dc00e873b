"""S12: what a step wrote, kept as a dataset; said after the pipeline was put together."""

from towpath import Pipeline, PipelineData, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Register an output."""
    step1_output_data = PipelineData("processed_data", workspace.get_default_datastore())
    step1 = PythonScriptStep(
        name="generate_data",
        script_name="step1.py",
        arguments=["--output_path", step1_output_data],
        outputs=[step1_output_data],
    )
    pipeline = Pipeline(workspace=workspace, steps=[step1])
    step1_output_ds = step1_output_data.as_dataset()
    step1_output_ds.register(name="processed_data", create_new_version=True)
    return pipeline
