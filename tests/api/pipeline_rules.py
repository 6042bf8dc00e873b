"""What a Pipeline and its steps may say: each rule with a good and a bad object."""

from __future__ import annotations

from typing import Any

from api.judge import Case
from builders import Object, make_pipeline, make_step


def of_step(**fields: Any) -> Object:
    """A Pipeline of one step."""
    return make_pipeline("iris", make_step(**fields))


def of_input(**fields: Any) -> Object:
    """A Pipeline whose step has one input."""
    return of_step(inputs=[{"name": "raw"} | fields])


def of_output(**fields: Any) -> Object:
    """A Pipeline whose step has one output."""
    return of_step(outputs=[{"name": "clean"} | fields])


def of_transform(**transform: Any) -> Object:
    """A Pipeline whose input is seen through one transform."""
    return of_input(transforms=[transform])


def without_command(**fields: Any) -> Object:
    """A Pipeline whose step leaves the command to its image."""
    return make_pipeline("iris", {"name": "prep", "image": "app:1"} | fields)


IRIS = {"name": "iris"}
FROM_PREP = {"step": "prep"}
SOURCE = {"sources": [{"path": "raw/"}]}
COMMAND = "command is required in a step with inputs, outputs, code or timeoutSeconds"
HALVES = [{"name": "train", "percent": 50}, {"name": "test"}]
SECRET_KEY = {"secretKeyRef": {"name": "mine", "key": "token"}}

RULES = [
    Case("a step with inputs has a command", without_command(), without_command(inputs=[IRIS]), COMMAND),
    Case(
        "a step with outputs has a command",
        without_command(inputs=[]),
        without_command(outputs=[IRIS]),
        COMMAND,
    ),
    Case(
        "a step with code has a command",
        of_step(code={"inline": {"prep.py": "print()"}}),
        without_command(code={"inline": {"prep.py": "print()"}}),
        COMMAND,
    ),
    Case(
        "a step with a time limit has a command",
        of_step(timeoutSeconds=60),
        without_command(timeoutSeconds=60),
        COMMAND,
    ),
    Case("an empty command is none", of_input(), without_command(command=[], inputs=[IRIS]), COMMAND),
    Case(
        "a time limit for all needs every command",
        make_pipeline("iris", make_step(), stepDefaults={"timeoutSeconds": 60}),
        make_pipeline("iris", make_step(), {"name": "plain"}, stepDefaults={"timeoutSeconds": 60}),
        "stepDefaults.timeoutSeconds bounds the command of every step",
    ),
    Case(
        "an input is no dataset and output at once",
        of_input(dataset=IRIS),
        of_input(**{"dataset": IRIS, "from": FROM_PREP}),
        "an input comes from at most one of dataset, from and source",
    ),
    Case(
        "an input is no dataset and source at once",
        of_input(source=SOURCE),
        of_input(dataset=IRIS, source=SOURCE),
        "an input comes from at most one of dataset, from and source",
    ),
    Case(
        "an input is no output and source at once",
        of_input(**{"from": FROM_PREP}),
        of_input(**{"from": FROM_PREP, "source": SOURCE}),
        "an input comes from at most one of dataset, from and source",
    ),
    Case(
        "an inline source has sources",
        of_input(source=SOURCE),
        of_input(source={"sources": []}),
        "source.sources in body should have at least 1 items",
    ),
    Case(
        "an inline Tabular source has a format",
        of_input(source=SOURCE | {"type": "Tabular", "format": {"csv": {}}}),
        of_input(source=SOURCE | {"type": "Tabular"}),
        "format goes with type Tabular",
    ),
    Case(
        "an output is no file and made as a folder",
        of_output(makeDirectory=True, directory=True),
        of_output(makeDirectory=True, directory=False),
        "makeDirectory makes a folder",
    ),
    Case(
        "a Tabular registration has a format",
        of_output(register={"name": "clean", "type": "Tabular", "format": {"csv": {}}}),
        of_output(register={"name": "clean", "type": "Tabular"}),
        "format goes with type Tabular",
    ),
    Case(
        "a registration names one version-less dataset",
        of_output(register={"name": "training_data"}),
        of_output(register={"name": "iris@3"}),
        "register.name in body should match",
    ),
    Case(
        "an export stays below its datastore",
        of_output(export={"path": "results/{run-id}/{output-name}"}),
        of_output(export={"path": "/results"}),
        "export.path in body should match",
    ),
    Case(
        "a transform is one thing",
        of_transform(sample={"percent": 50}),
        of_transform(sample={"percent": 50}, take={"count": 1}),
        "transforms[0]: Too many: 2: must have at most 1 item",
    ),
    Case(
        "a split has two parts",
        of_transform(split={"parts": HALVES, "part": "train"}),
        of_transform(split={"parts": HALVES[:1], "part": "train"}),
        "split.parts in body should have at least 2 items",
    ),
    Case(
        "a split's parts have different names",
        of_transform(split={"parts": HALVES, "part": "test", "seed": -1}),
        of_transform(split={"parts": [HALVES[0], HALVES[0]], "part": "train"}),
        'Duplicate value: {"name":"train"}',
    ),
    Case(
        "a percent is a number or a reference",
        of_transform(sample={"percent": "$(params.share)"}),
        of_transform(sample={"percent": "half"}),
        "sample.percent in body should match",
    ),
    Case(
        "a percent has decimals as a string",
        of_transform(sample={"percent": "12.5"}),
        of_transform(sample={"percent": 12.5}),
        "sample.percent in body must be of type integer,string",
    ),
    Case(
        "a percent is at most a hundred",
        of_transform(sample={"percent": 100}),
        of_transform(sample={"percent": 101}),
        "sample.percent in body should be less than or equal to 100",
    ),
    Case(
        "a share is of at least one",
        of_transform(shard={"index": 0, "count": 4}),
        of_transform(shard={"index": 0, "count": 0}),
        "shard.count in body should be greater than or equal to 1",
    ),
    Case(
        "a version is a number",
        of_input(dataset=IRIS | {"version": "$(params.version)"}),
        of_input(dataset=IRIS | {"version": "latest"}),
        "dataset.version in body should match",
    ),
    Case(
        "shards share out an input",
        of_step(inputs=[IRIS], shards={"input": "iris", "count": 4}),
        of_step(inputs=[IRIS], shards={"input": "roses", "count": 4}),
        "shards.input names no input of this step",
    ),
    Case(
        "a variable has one value",
        of_step(env=[{"name": "TOKEN", "valueFrom": SECRET_KEY}]),
        of_step(env=[{"name": "TOKEN", "value": "x", "valueFrom": SECRET_KEY}]),
        "a variable has a value or a valueFrom, not both",
    ),
    Case(
        "our variables are ours",
        of_step(env=[{"name": "MY_CONTEXT", "value": "x"}]),
        of_step(env=[{"name": "TOWPATH_CONTEXT", "value": "x"}]),
        "names that begin with TOWPATH_ are set by Towpath",
    ),
    Case(
        "envFrom names one object",
        of_step(envFrom=[{"secretRef": {"name": "mine"}}]),
        of_step(envFrom=[{"prefix": "A_"}]),
        "exactly one of secretRef and configMapRef",
    ),
    Case(
        "a seccomp profile on the node has its file",
        of_step(securityContext={"seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}}),
        of_step(securityContext={"seccompProfile": {"type": "Localhost"}}),
        "localhostProfile goes with type Localhost",
    ),
    Case(
        "code is one thing",
        of_step(code={"configMapRef": {"name": "code"}}),
        of_step(code={"configMapRef": {"name": "code"}, "inline": {"a.py": ""}}),
        "code: Too many: 2: must have at most 1 item",
    ),
    Case(
        "step names are unique",
        make_pipeline("iris", make_step("prep"), make_step("train")),
        make_pipeline("iris", make_step("prep"), make_step("prep")),
        'Duplicate value: {"name":"prep"}',
    ),
    Case(
        "output names are unique",
        of_step(outputs=[{"name": "a"}, {"name": "b"}]),
        of_step(outputs=[{"name": "a"}, {"name": "a"}]),
        'Duplicate value: {"name":"a"}',
    ),
    Case(
        "a step depends once",
        of_step(dependsOn=["a", "b"]),
        of_step(dependsOn=["a", "a"]),
        'Duplicate value: "a"',
    ),
    Case(
        "a step name is a name",
        of_step(name="prep_data"),
        of_step(name="Prep data"),
        "steps[0].name in body should match",
    ),
    Case(
        "a port name is a variable's",
        of_step(outputs=[{"name": "clean_data"}]),
        of_step(outputs=[{"name": "clean-data"}]),
        "outputs[0].name in body should match",
    ),
    Case(
        "a mount path is absolute and plain",
        of_output(mountPath="/data/out"),
        of_output(mountPath="/data/../etc"),
        "outputs[0].mountPath in body should match",
    ),
    Case(
        "a mode is one of three",
        of_input(mode="Mount"),
        of_input(mode="Copy"),
        'Unsupported value: "Copy": supported values: "Download", "Mount", "Auto"',
    ),
    Case(
        "a pipeline has steps",
        make_pipeline(),
        make_pipeline(steps=[]),
        "spec.steps in body should have at least 1 items",
    ),
    Case(
        "a pipeline has at most 1,000 steps",
        make_pipeline(),
        make_pipeline("iris", *[make_step(f"step-{number}") for number in range(1001)]),
        "spec.steps: Too many: 1001: must have at most 1000 items",
    ),
    Case(
        "a step has at most 16 outputs",
        of_step(outputs=[{"name": f"o{number}"} for number in range(16)]),
        of_step(outputs=[{"name": f"o{number}"} for number in range(17)]),
        "outputs: Too many: 17: must have at most 16 items",
    ),
    Case(
        "a default is any value",
        make_pipeline(params=[{"name": "share", "type": "number", "default": 0.8}]),
        make_pipeline(params=[{"name": "share", "type": "float"}]),
        'Unsupported value: "float": supported values: "string", "integer", "number", "boolean"',
    ),
]
