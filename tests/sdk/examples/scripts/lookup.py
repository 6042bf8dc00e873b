from towpath import Dataset, Run

run = Run.get_context()
ws = run.experiment.workspace
ds = Dataset.get_by_name(workspace=ws, name="mnist_opendataset")
print(ds.path)
