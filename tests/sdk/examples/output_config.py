"""Outputs that are registered as tables, copied to a place, and read by the next step."""

from towpath import DataType, OutputFileDatasetConfig, Pipeline, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Prepare rows, and train with them."""
    archive = workspace.datastores["my_adlsgen2"]
    rows = (
        OutputFileDatasetConfig(name="rows", destination=(archive, "clean/{run-id}/{output-name}"))
        .read_delimited_files(separator=";", set_column_types={"width": DataType.to_float()})
        .register_on_complete("clean_rows", description="Rows without holes", tags={"team": "a"})
    )
    report = OutputFileDatasetConfig().as_upload()
    PythonScriptStep(
        "dataprep.py", name="prep", arguments=["--output-path", rows, "--report", report], retries=2
    )
    train = PythonScriptStep(
        "train.py", name="train", arguments=["--training-folder", rows.as_input("train")], allow_reuse=False
    )
    return Pipeline(workspace, [train], description="Producers need not be listed")
