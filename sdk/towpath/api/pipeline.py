"""Pipeline: steps that hand data to one another, and the parameters they take."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from towpath.api.markers import (
    MAP_ATOMIC,
    PRESERVE_UNKNOWN,
    PrinterColumn,
    Rule,
    list_map_by,
    with_rules,
)
from towpath.api.meta import Conditions, KindInfo, Model, Resource, StatusModel
from towpath.api.scalars import Count, ParamName, Seconds, Text
from towpath.api.step import Step, StepSettings


class ParamType(StrEnum):
    """What values a parameter takes."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


class Param(Model):
    """A parameter of the pipeline."""

    name: ParamName
    """Name of the parameter; used as $(params.<name>)."""
    type: ParamType = ParamType.STRING
    """string, integer, number or boolean."""
    default: Annotated[Any, PRESERVE_UNKNOWN] = None
    """The value where a run gives none; a parameter without it must be given. Checked against `type`."""
    description: Text | None = None
    """A sentence for people."""


class Retention(Model):
    """How long a run's unregistered data stays."""

    keep_seconds: Annotated[int, Field(ge=0, le=315_360_000)] = 2_592_000
    """Seconds after the run's end; 30 days unless said otherwise. Registered versions always stay."""


class PipelineSpec(Model):
    """Steps, and what they have in common."""

    model_config = with_rules(
        Rule(
            "!has(self.stepDefaults) || !has(self.stepDefaults.timeoutSeconds) || "
            "self.steps.all(s, has(s.command) && size(s.command) > 0)",
            "stepDefaults.timeoutSeconds bounds the command of every step, so every step needs its "
            "command: write "
            "it out, or give timeoutSeconds only to the steps that have one",
        )
    )

    description: Text | None = None
    """A sentence for people."""
    params: Annotated[tuple[Param, ...], Field(max_length=128), list_map_by("name")] = ()
    """Parameters that a run may set."""
    step_defaults: StepSettings | None = None
    """Settings of all steps that do not say otherwise."""
    # A step is owned whole: tracking who set which field of 1,000 steps would double the object.
    steps: Annotated[
        tuple[Annotated[Step, MAP_ATOMIC], ...], Field(min_length=1, max_length=1000), list_map_by("name")
    ]
    """The steps. Their order comes from data (`from`) and `dependsOn`, not from this list."""
    retention: Retention | None = None
    """How long a run's unregistered data stays; 30 days where omitted."""
    timeout_seconds: Seconds | None = None
    """How long a run may take; no limit unless said here or in the run, whose own value wins."""


class PipelineStatus(StatusModel):
    """Whether the pipeline can be run."""

    observed_generation: Count = 0
    """The `metadata.generation` that the conditions speak of."""
    conditions: Conditions = ()
    """`Ready`: whether steps and references fit together; the message names what does not."""
    steps_total: Count | None = None
    """How many steps it has."""


class Pipeline(Resource):
    """Steps that hand data to one another. A PipelineRun runs it."""

    info: ClassVar[KindInfo] = KindInfo(
        kind="Pipeline",
        plural="pipelines",
        short_name="tppipe",
        columns=(
            PrinterColumn("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            PrinterColumn("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
            PrinterColumn("Steps", ".status.stepsTotal", "integer"),
            PrinterColumn("Description", ".spec.description", priority=1),
            PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
            PrinterColumn("Message", ".status.conditions[?(@.type=='Ready')].message"),
        ),
    )

    kind: Literal["Pipeline"] = "Pipeline"
    spec: PipelineSpec
    """Steps, and what they have in common."""
    status: PipelineStatus = PipelineStatus()
    """Whether the pipeline can be run; written by the operator."""
