"""What reaches the user's process: values byte by byte, ours kept, the user's honoured."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jobs.any_step import IN_ANY_TIME, TEXTS
from jobs.kubelet import environment, expand
from jobs.planned_steps import make_content, make_input, make_order, make_output, make_plan, make_step
from towpath.flow.planned import PlannedStep
from towpath_operator.jobs import step
from towpath_operator.jobs.settings import PodSettings


def container(
    planned: PlannedStep, name: str = "step", params: dict[str, str] | None = None
) -> dict[str, Any]:
    job = step.render(make_plan(planned, params=params or {}), planned, make_order(planned), PodSettings())
    pod = job["spec"]["template"]["spec"]
    both = [*pod.get("initContainers", []), *pod["containers"]]
    found: dict[str, Any] = next(each for each in both if each["name"] == name)
    return found


def process(planned: PlannedStep, params: dict[str, str] | None = None) -> tuple[list[str], dict[str, str]]:
    """The arguments and the variables that the user's process gets."""
    rendered = container(planned, params=params)
    variables = environment(rendered)
    words = [expand(word, variables) for word in [*rendered.get("command", []), *rendered.get("args", [])]]
    return words, variables


HOSTILE = st.one_of(TEXTS, st.text("$()HOMEparams.x{}`;", max_size=12))


@IN_ANY_TIME
@given(HOSTILE)
def test_a_parameter_arrives_byte_by_byte(value: str) -> None:
    planned = make_step(
        command=("run", "$(params.x)", "-$(params.x)-"), env=({"name": "X", "value": "$(params.x)"},)
    )
    words, variables = process(planned, {"x": value})
    assert words[-2:] == [value, f"-{value}-"]
    assert (variables["X"], variables["TOWPATH_PARAM_X"]) == (value, value)


@IN_ANY_TIME
@given(HOSTILE)
def test_a_parameter_arrives_byte_by_byte_under_the_launcher_too(value: str) -> None:
    planned = make_step(command=("run", "$(params.x)"), outputs=(make_output(),))
    assert process(planned, {"x": value})[0][-1] == value


def test_a_literal_dollar_stays_and_a_variable_is_left_to_kubernetes() -> None:
    planned = make_step(
        command=("run",), args=("a$$b", "$$(params.x)", "$(WHO)", "$5"), env=({"name": "WHO", "value": "me"},)
    )
    assert process(planned)[0] == ["run", "a$$b", "$(params.x)", "me", "$5"]


def test_ports_are_found_by_variable_and_by_reference() -> None:
    planned = make_step(
        command=("run", "$(inputs.raw.path)", "$(inputs.other.path)", "$(outputs.clean.path)"),
        inputs=(make_input(), make_input("other", "/data/other")),
        outputs=(make_output(),),
    )
    order = make_order(planned, 1, {"other": make_content("other", directory=True, file=None)})
    job = step.render(make_plan(planned), planned, order, PodSettings())
    rendered = job["spec"]["template"]["spec"]["containers"][0]
    paths = ["/towpath/inputs/raw/iris.csv", "/data/other", "/towpath/outputs/clean"]
    assert rendered["command"][-3:] == paths
    variables = environment(rendered)
    assert [variables[f"TOWPATH_{name}"] for name in ("INPUT_RAW", "INPUT_OTHER", "OUTPUT_CLEAN")] == paths


def test_the_user_may_set_home_but_nothing_of_ours() -> None:
    env = ({"name": "HOME", "value": "/mine"}, {"name": "TOWPATH_CONTEXT", "value": "/mine"})
    rendered = container(make_step(env=env, outputs=(make_output(),)))
    names = [entry["name"] for entry in rendered["env"]]
    assert len(names) == len(set(names))
    variables = environment(rendered)
    assert (variables["HOME"], variables["TOWPATH_CONTEXT"]) == ("/mine", "/towpath/context/context.json")


def test_values_of_the_user_may_name_ours() -> None:
    env = ({"name": "MODEL", "value": "$(TOWPATH_OUTPUT_CLEAN)/model"},)
    assert process(make_step(env=env, outputs=(make_output(),)))[1]["MODEL"] == "/towpath/outputs/clean/model"


def test_secrets_of_the_user_are_passed_on_as_references() -> None:
    source = {"secretKeyRef": {"name": "token", "key": "value"}}
    from_secret = {"secretRef": {"name": "all"}}
    rendered = container(make_step(env=({"name": "TOKEN", "valueFrom": source},), env_from=(from_secret,)))
    assert {"name": "TOKEN", "valueFrom": source} in rendered["env"]
    assert rendered["envFrom"] == [from_secret]


def test_the_shell_of_publish_reaches_it_unchanged() -> None:
    words = container(make_step(outputs=(make_output(),)), "publish")["command"]
    script = expand(words[3], {"1": "wrong", "said": "wrong"})
    assert 'exec 8<"$1"' in script
    assert "said=$(head" in script


def test_a_step_without_data_is_one_plain_container() -> None:
    planned = make_step(command=(), args=("hello",))
    job = step.render(make_plan(planned), planned, make_order(planned), PodSettings())
    pod = job["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["containers"]] == ["step"]
    assert "initContainers" not in pod
    # The image's own entrypoint, folder and HOME.
    assert not {"command", "workingDir"} & pod["containers"][0].keys()
    assert "HOME" not in environment(pod["containers"][0])
