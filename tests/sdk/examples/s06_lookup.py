"""S6: a step whose script looks a registered dataset up by name; the step takes it as an input."""

from towpath import Dataset, Pipeline, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Let the dataset travel with the step that asks for it."""
    digits = Dataset.get_by_name(workspace, "mnist_opendataset")
    look = PythonScriptStep("lookup.py", name="look", inputs=[digits])
    return Pipeline(workspace, [look])
