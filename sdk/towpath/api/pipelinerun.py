"""PipelineRun: one run of a pipeline. Its spec never changes, but for `cancel`."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from towpath.api.markers import PrinterColumn, Rule, unchanged, with_rules
from towpath.api.meta import KindInfo, Model, Resource
from towpath.api.pipeline import PipelineSpec
from towpath.api.refs import PipelineRef, RunRef
from towpath.api.runstatus import PipelineRunStatus
from towpath.api.scalars import Seconds

FIXED = (
    "pipelineRef",
    "pipelineSpec",
    "params",
    "retryOf",
    "reuse",
    "continueOnStepFailure",
    "timeoutSeconds",
)


class PipelineRunSpec(Model):
    """What to run, and how."""

    model_config = with_rules(
        Rule(
            "[has(self.pipelineRef), has(self.pipelineSpec), has(self.retryOf)].exists_one(given, given)",
            "a run has exactly one of pipelineRef, pipelineSpec and retryOf: give one of them",
        ),
        Rule(
            "!has(self.retryOf) || !has(self.params)",
            "retryOf runs the same plan with the same params again: remove params, or make a new run",
        ),
        Rule(
            unchanged(*FIXED),
            "the spec of a run never changes, but for cancel: make another run with the other values",
        ),
        Rule(
            "!oldSelf.cancel || self.cancel",
            "cancel only goes to true: a cancelled run stays cancelled; run its steps again with retryOf",
        ),
    )

    pipeline_ref: PipelineRef | None = None
    """The Pipeline to run; what it becomes later does not matter to this run."""
    pipeline_spec: PipelineSpec | None = None
    """A pipeline written out right here, instead of `pipelineRef`."""
    retry_of: RunRef | None = None
    """A finished run to take up again: its plan and pinned versions, keeping its succeeded steps."""
    params: Annotated[dict[str, Any], Field(max_length=128)] = Field(default_factory=dict)
    """Values of the pipeline's parameters by name, checked against their types."""
    reuse: bool = True
    """False runs every step again, even where equal earlier work could be taken."""
    continue_on_step_failure: bool = False
    """True goes on with the branches that do not depend on a failed step."""
    cancel: bool = False
    """True ends the run: its pods are stopped and nothing more is published. Cannot be taken back."""
    timeout_seconds: Seconds | None = None
    """How long the run may take; wins over the pipeline's own."""


class PipelineRun(Resource):
    """One run of a pipeline."""

    info: ClassVar[KindInfo] = KindInfo(
        kind="PipelineRun",
        plural="pipelineruns",
        short_name="tprun",
        columns=(
            PrinterColumn("Pipeline", ".spec.pipelineRef.name", priority=1),
            PrinterColumn("State", ".status.state"),
            PrinterColumn("Reason", ".status.conditions[?(@.type=='Succeeded')].reason", priority=1),
            PrinterColumn("Steps", ".status.progress"),
            PrinterColumn("Data-In", ".status.dataIn"),
            PrinterColumn("Data-Out", ".status.dataOut"),
            PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
            PrinterColumn("Message", ".status.message"),
        ),
        selectable=(".spec.pipelineRef.name",),
    )

    kind: Literal["PipelineRun"] = "PipelineRun"
    spec: PipelineRunSpec
    """What to run, and how."""
    status: PipelineRunStatus = PipelineRunStatus()
    """How far the run is; written by the operator."""
