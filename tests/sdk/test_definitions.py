"""What a pipeline may say of itself: each mistake is refused where it is written, with what was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdk.place import article_workspace
from towpath import (
    ArchiveOptions,
    CommandStep,
    DataPath,
    DataReference,
    Dataset,
    DatasetConsumptionConfig,
    DataType,
    DefinitionError,
    Environment,
    Experiment,
    OutputFileDatasetConfig,
    OutputTabularDatasetConfig,
    ParallelRunStep,
    Pipeline,
    PipelineData,
    PipelineParameter,
    PythonScriptStep,
    RunConfiguration,
    StepSequence,
    UserErrorException,
    Workspace,
)

SCRIPTS = Path(__file__).parent / "examples" / "scripts"
FILES = Dataset.File.from_files(("default", "pets/"))
TABLE = Dataset.Tabular.from_delimited_files(("default", "iris.csv"))
Say = Callable[[], Any]


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The current directory holds the steps' scripts."""
    monkeypatch.chdir(SCRIPTS)


@pytest.fixture
def workspace() -> Workspace:
    """The article's workspace."""
    return article_workspace()


def shell(name: str, *words: Any, **keywords: Any) -> CommandStep:
    """A step that runs a command."""
    return CommandStep(["echo", *words], name=name, **keywords)


def emitted(*steps: Any, **keywords: Any) -> list[dict[str, Any]]:
    """The steps of a pipeline as they are emitted."""
    found: list[dict[str, Any]] = Pipeline(None, list(steps), **keywords).manifests()[-1]["spec"]["steps"]
    return found


MISTAKES: list[tuple[Say, str]] = [
    (DataPath, "DataPath needs a datastore"),
    (lambda: DataPath("default", "/etc"), "no leading slash"),
    (lambda: DataPath("default", "a/../b"), "no parts that are empty, . or .."),
    (lambda: Dataset.File.from_files([]), "path is empty"),
    (lambda: Dataset.File.from_files("iris.csv"), "is no URL"),
    (lambda: Dataset.File.from_files("wasbs://c@a/x"), "not from wasbs://"),
    (lambda: ArchiveOptions("Zipp"), "Did you mean Zip?"),
    (lambda: FILES.take_sample(0), "above 0 and at most 1"),
    (lambda: FILES.take_sample(1.5), "above 0 and at most 1"),
    (lambda: FILES.random_split(-0.1), "from 0.0 to 1.0"),
    (lambda: FILES.take(-1), "a whole number from 0"),
    (lambda: FILES.take_sample(0.5, seed="x"), "seed is a whole number"),  # type: ignore[arg-type]
    (FILES.filter, "filter needs a condition"),
    (lambda: FILES.file_metadata("LastModifiedTime"), "cannot filter by LastModifiedTime"),
    (lambda: TABLE.filter("x > 1"), "Rows cannot be filtered"),
    (lambda: FILES.as_named_input("Raw Data"), "Write 'raw_data'"),
    (FILES.as_mount, "as_named_input"),
    (
        lambda: DatasetConsumptionConfig("x", FILES, mode="hdfs"),
        "mode is one of direct, download, mount, auto",
    ),
    (lambda: DatasetConsumptionConfig("x", 5).input_port(), "takes a dataset, not 5"),
    (lambda: Dataset.Tabular.from_delimited_files(("d", "x"), separator=";;"), "separator is one character"),
    (lambda: Dataset.Tabular.from_delimited_files(("d", "x"), encoding="utf9"), "Did you mean utf8"),
    (lambda: Dataset.Tabular.from_json_lines_files(("d", "x"), invalid_lines="skip"), "error, drop"),
    (lambda: Dataset.Tabular.from_parquet_files(("d", "x"), set_column_types={"a": int}), "is no DataType"),  # type: ignore[dict-item]
    (lambda: Dataset.Tabular.from_sql_query("select 1"), "not offered"),
    (lambda: DataType.to_float(decimal_mark=";"), "decimal_mark is . or ,"),
    (lambda: PipelineData("Clean Data"), "Write 'clean_data'"),
    (lambda: PipelineData("x", output_mode="uplaod"), "Did you mean upload?"),
    (lambda: OutputFileDatasetConfig("x", ("d", "a/{run_id}")), "unknown placeholder"),
    (lambda: OutputFileDatasetConfig("x", ("d", "a/../b")), "no parts that are empty"),
    (
        lambda: OutputFileDatasetConfig("x").as_upload(overwrite=True),
        "never written over|is ever written over",
    ),
    (lambda: OutputFileDatasetConfig("x").register_on_complete(""), "needs the name of a dataset"),
    (OutputTabularDatasetConfig, "read_delimited_files"),
    (lambda: PipelineParameter("1x", 1), "no digit first"),
    (lambda: PipelineParameter("x", None), "cannot be None"),  # type: ignore[arg-type]
    (lambda: PipelineParameter("x", FILES), "not registered: register it first"),
    (CommandStep, "needs a command"),
    (lambda: PythonScriptStep("/abs/train.py"), "below source_directory"),
    (lambda: PythonScriptStep("train.py", name="Train!"), "Write 'train'"),
    (lambda: shell("a", PipelineData("x")), "neither in inputs nor in outputs"),
    (lambda: shell("a", inputs=[5]), "5 is no input"),
    (lambda: shell("a", outputs=[5]), "5 is no output"),
    (lambda: shell("a", inputs="iris"), "inputs is a list"),
    (lambda: Environment.from_conda_specification("x", "env.yml"), "build an image that has them"),
    (lambda: Pipeline(None, []).manifests(), "at least one step"),
    (lambda: Pipeline(None, ["x"]).manifests(), "is no step"),
    (lambda: Pipeline(None, [shell("a"), shell("a")]).manifests(), "Two steps are named a"),
    (lambda: Pipeline(None, [PythonScriptStep("trian.py")]).manifests(), "Did you mean train.py?"),
    (lambda: Experiment(None, "a b"), "cannot be named 'a b'"),  # type: ignore[arg-type]
    (ParallelRunStep, "use PythonScriptStep"),
]


@pytest.mark.parametrize(("say", "says"), MISTAKES, ids=[says for _, says in MISTAKES])
def test_a_mistake_is_refused_where_it_is_written(say: Say, says: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        say()
    assert any(part in str(refused.value) for part in says.split("|"))


def test_an_unknown_keyword_is_a_type_error_with_the_one_that_was_meant() -> None:
    with pytest.raises(
        TypeError, match=r"PythonScriptStep has no keyword argument: did you mean arguments\?"
    ):
        PythonScriptStep("train.py", argument=[])  # type: ignore[call-arg]


def test_an_unknown_field_of_a_run_configuration_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"no field enviroment. Did you mean environment"):
        RunConfiguration().enviroment = None


def test_an_output_has_one_producer() -> None:
    data = PipelineData("x")
    shell("a", outputs=[data])
    with pytest.raises(DefinitionError, match="written by step a already, so step b cannot write it"):
        shell("b", outputs=[data])


def test_an_output_config_in_another_step_s_arguments_is_an_error_that_names_both() -> None:
    data = OutputFileDatasetConfig("x")
    shell("a", data)
    with pytest.raises(DefinitionError, match="written by step a already, so step b"):
        shell("b", data)


def test_a_step_does_not_read_its_own_output() -> None:
    data = PipelineData("x")
    with pytest.raises(DefinitionError, match="would read its own output x"):
        shell("a", inputs=[data], outputs=[data])


def test_an_output_that_nobody_writes_is_named() -> None:
    messages = Pipeline(None, [shell("a", inputs=[PipelineData("x")])]).validate()
    assert messages == ["The output x is read, and no step writes it: put it into the `outputs` of one."]


def test_a_cycle_is_found() -> None:
    first, second = shell("a"), shell("b")
    first.run_after(second)
    second.run_after(first)
    [message] = Pipeline(None, [first, second]).validate()
    assert "a" in message
    assert "b" in message


def test_the_order_of_the_list_means_nothing() -> None:
    data = PipelineData("x")
    writer, reader = shell("w", outputs=[data]), shell("r", inputs=[data])
    assert emitted(reader, writer) == emitted(writer, reader)


def test_producers_are_pulled_in_unless_that_is_refused() -> None:
    data = PipelineData("x")
    shell("w", outputs=[data])
    reader = shell("r", inputs=[data])
    assert [step["name"] for step in emitted(reader)] == ["w", "r"]
    [message] = Pipeline(None, [reader], resolve_closure=False).validate()
    assert "Step r needs step w" in message


def test_groups_of_a_sequence_run_side_by_side() -> None:
    steps = emitted(StepSequence([shell("a"), [shell("b"), shell("c")], shell("d")]))
    assert {step["name"]: step.get("dependsOn") for step in steps} == {
        "a": None,
        "b": ["a"],
        "c": ["a"],
        "d": ["b", "c"],
    }


def test_two_hundred_steps_are_a_pipeline() -> None:
    data = [PipelineData(f"x{number}") for number in range(200)]
    steps = [
        shell(f"s{number}", inputs=data[max(0, number - 1) : number], outputs=[data[number]])
        for number in range(200)
    ]
    assert [step["name"] for step in emitted(*reversed(steps))] == [f"s{number}" for number in range(200)]


def test_plain_words_reach_the_command_as_they_are() -> None:
    words = ["$(params.x)", "$$(y)", "a b", '"', "\n", 1, 2.5, True]
    [step] = emitted(shell("a", *words))
    assert step["command"][1:] == ["$$(params.x)", "$$$(y)", "a b", '"', "\n", "1", "2.5", "True"]


def test_one_dataset_used_twice_is_one_input() -> None:
    given = FILES.as_named_input("pets")
    [step] = emitted(shell("a", given, given, inputs=[given]))
    assert step["command"] == ["echo", "$(inputs.pets.path)", "$(inputs.pets.path)"]
    assert len(step["inputs"]) == 1


def test_two_inputs_of_one_name_are_refused() -> None:
    with pytest.raises(DefinitionError, match="two inputs named pets"):
        shell("a", inputs=[FILES.as_named_input("pets"), FILES.take(1).as_named_input("pets")])


def test_a_data_reference_is_an_input_named_after_itself() -> None:
    [step] = emitted(shell("a", DataReference("default", "pets", "pets/", mode="download")))
    assert step["inputs"] == [
        {"name": "pets", "source": {"sources": [{"path": "pets", "datastore": "default"}]}}
    ]


def test_nameless_outputs_have_names_that_stay_the_same() -> None:
    one, two = OutputFileDatasetConfig(), OutputFileDatasetConfig()
    [step] = emitted(shell("a", one, two))
    assert [output["name"] for output in step["outputs"]] == ["output", "output_2"]


def test_a_default_datastore_is_written_into_each_output_that_has_none() -> None:
    mine, other = PipelineData("mine", datastore="own"), PipelineData("other")
    [step] = emitted(shell("a", outputs=[mine, other]), default_datastore="shared_store")
    assert [output["datastore"] for output in step["outputs"]] == ["own", "shared-store"]


def test_what_a_runconfig_cannot_have_is_refused_by_name() -> None:
    config = RunConfiguration()
    config.node_count = 2
    with pytest.raises(DefinitionError, match="node_count=2: a step is one pod"):
        PythonScriptStep("train.py", runconfig=config)


@pytest.mark.parametrize(
    ("default", "other", "kind"),
    [(1, "x", "integer"), (True, 1, "boolean"), ("x", 1, "string"), (1.5, True, "number")],
)
def test_a_parameter_takes_values_of_its_type(
    workspace: Workspace, default: Any, other: Any, kind: str
) -> None:
    parameter = PipelineParameter("x", default)
    pipeline = Pipeline(workspace, [shell("a", parameter)])
    with pytest.raises(TypeError, match=f"The parameter x takes a {kind}"):
        pipeline.manifests(run="one", pipeline_parameters={"x": other})


def test_an_unknown_parameter_is_refused_with_the_near_name(workspace: Workspace) -> None:
    pipeline = Pipeline(workspace, [shell("a", PipelineParameter("rate", 1))])
    with pytest.raises(DefinitionError, match=r"no parameter rat. Did you mean rate"):
        pipeline.manifests(run="one", pipeline_parameters={"rat": 1})


def test_one_name_with_two_defaults_is_refused() -> None:
    [message] = Pipeline(None, [shell("a", PipelineParameter("x", 1), PipelineParameter("x", 2))]).validate()
    assert "defined twice, with the defaults 1 and 2" in message


def test_a_dataset_and_a_path_can_be_parameters(workspace: Workspace) -> None:
    raw = Dataset.get_by_name(workspace, "raw_data")
    data = PipelineParameter("data", raw)
    folder = PipelineParameter("folder", DataPath("default", "monday"))
    step = shell("a", inputs=[DatasetConsumptionConfig("raw", data), DatasetConsumptionConfig("day", folder)])
    other = {"data": Dataset.get_by_name(workspace, "raw_data", 1), "folder": DataPath("default", "tuesday")}
    run = Pipeline(workspace, [step]).manifests(run="one", pipeline_parameters=other)[-1]
    assert run["spec"]["params"] == {"data": "raw_data@1", "folder": "tuesday"}


def test_a_parameter_by_itself_is_an_input_named_after_it(workspace: Workspace) -> None:
    data = PipelineParameter("data", Dataset.get_by_name(workspace, "raw_data"))
    [step] = emitted(shell("a", data, inputs=[data]))
    assert step["inputs"] == [{"name": "data", "dataset": {"name": "$(params.data)"}}]
    assert step["command"] == ["echo", "$(inputs.data.path)"]
    with pytest.raises(DefinitionError, match="is no data"):
        shell("b", inputs=[PipelineParameter("rate", 1)])


def test_a_run_cannot_choose_another_datastore(workspace: Workspace) -> None:
    folder = PipelineParameter("folder", DataPath("default", "monday"))
    pipeline = Pipeline(workspace, [shell("a", inputs=[DatasetConsumptionConfig("day", folder)])])
    with pytest.raises(DefinitionError, match="a run may choose the path, not the datastore"):
        pipeline.manifests(run="one", pipeline_parameters={"folder": DataPath("other", "x")})


def test_values_of_a_step_s_params_are_environment_variables() -> None:
    step = shell("a", params={"learning-rate": 0.1, "x": PipelineParameter("x", 1)}, version="3")
    assert emitted(step)[0]["env"] == [
        {"name": "AML_PARAMETER_learning_rate", "value": "0.1"},
        {"name": "AML_PARAMETER_x", "value": "$(params.x)"},
        {"name": "STEP_VERSION", "value": "3"},
    ]


def test_a_mistake_that_only_the_model_knows_names_its_step() -> None:
    [message] = Pipeline(None, [shell("a", retries=1000)]).validate()
    assert message.startswith("step a, retries: ")


def test_every_error_is_one_that_azure_s_users_catch() -> None:
    with pytest.raises(UserErrorException):
        PipelineData("")
    with pytest.raises(ValueError, match="cannot be named"):
        PipelineData("")
