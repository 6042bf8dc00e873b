"""Parts of datasets: the first files, those of a kind, mounted at a place of their own; a step in shards."""

from towpath import Dataset, Pipeline, PipelineData, PythonScriptStep, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Look at parts of a folder."""
    pictures = Dataset.File.from_files(
        [(workspace.datastores["training_data"], "pets/**/*.jpg"), "http://example.org/more.jpg"]
    )
    large = pictures.filter(pictures.file_metadata("Size") > 1000).skip(10).take(100)
    left = large.as_named_input("left").as_mount("/mnt/left")
    boxes = PipelineData("boxes", is_directory=True)
    find = PythonScriptStep(
        "dataprep.py",
        name="find",
        arguments=["--output-path", boxes],
        inputs=[left],
        outputs=[boxes],
        shards={"input": "left", "count": 4},
    )
    read = PythonScriptStep("step2.py", name="read", arguments=["--pd", boxes.as_mount("found")])
    return Pipeline(workspace, [read, find], default_datastore=workspace.datastores["my_adlsgen2"])
