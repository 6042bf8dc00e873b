"""Step: the user's container, with what it reads and writes."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from towpath.api.container import Env, EnvFrom, PullSecrets, Resources, SecurityContext
from towpath.api.markers import LIST_ATOMIC, LIST_SET, Rule, list_map_by, with_rules
from towpath.api.meta import Model, OneOf
from towpath.api.ports import Input, Output
from towpath.api.refs import ConfigMapRef
from towpath.api.scalars import Digest, ObjectName, PortName, Seconds, StepName, StorePath

# An inventory may have twice as many roots: each share has one or two in that of their union.
MOST_SHARDS = 4096

Image = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\s]+$")]
Word = Annotated[str, Field(max_length=131_072)]
QueueName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]


class Reuse(StrEnum):
    """When the outputs of an earlier, equal step are taken instead of running it again."""

    IF_PINNED = "IfPinned"
    ALWAYS = "Always"
    NEVER = "Never"


class CodeSnapshot(Model):
    """Code that lies in a datastore, as one archive."""

    datastore: ObjectName
    """The Datastore that holds it."""
    path: StorePath
    """Key of the archive below the datastore's prefix."""
    digest: Digest
    """Digest of the archive; other content is refused."""


class Code(OneOf):
    """Files placed in the step's working directory; exactly one of these."""

    inline: Annotated[dict[str, Annotated[str, Field(max_length=262_144)]], Field(max_length=64)] | None = (
        None
    )
    """File names and their text, right here."""
    config_map_ref: ConfigMapRef | None = None
    """A ConfigMap with the code; the SDK and the CLI make it."""
    snapshot: CodeSnapshot | None = None
    """An archive in a datastore, for code too large for a ConfigMap."""


class Shards(Model):
    """Runs the step several times at once, each with its share of one input; the outputs are united."""

    input: PortName
    """Name of the input to share out."""
    count: Annotated[int, Field(ge=1, le=MOST_SHARDS)]
    """How many shares."""
    parallelism: Annotated[int, Field(ge=1, le=MOST_SHARDS)] | None = None
    """How many run at the same time; all where omitted."""


class StepSettings(Model):
    """What a step may say for itself, and a pipeline for all its steps."""

    resources: Resources | None = None
    """What the step's container asks of its node."""
    env: Env = ()
    """Environment variables of the step; values may hold references such as `$(params.rate)`."""
    env_from: EnvFrom = ()
    """Secrets and ConfigMaps all of whose keys become environment variables of the step."""
    retries: Annotated[int, Field(ge=0, le=100)] | None = None
    """How often to run the step again after it failed; 0 unless said otherwise. Evictions and failed
    transfers are counted apart and do not use these up."""
    timeout_seconds: Seconds | None = None
    """How long the command may run in one attempt; no limit unless said otherwise."""
    pending_timeout_seconds: Seconds | None = None
    """How long scheduling, quota or queue may last; no limit unless said otherwise."""
    reuse: Reuse | None = None
    """When equal earlier work is taken instead: IfPinned (the image is pinned by digest; the default),
    Always, or Never."""
    security_context: SecurityContext | None = None
    """Who the step runs as."""
    image_pull_secrets: PullSecrets = ()
    """Secrets for pulling the step's image."""
    compute_target: ObjectName | None = None
    """Name of a PodTemplate (core/v1) of this namespace whose labels, scheduling fields, service account and
    volumes the step takes, and whose container named `step` gives defaults."""
    queue_name: QueueName | None = None
    """Name of the Kueue LocalQueue that admits the step."""


_HAS_COMMAND = "(has(self.command) && size(self.command) > 0)"
_NEEDS_LAUNCHER = " || ".join(
    ["has(self.code)", "has(self.timeoutSeconds)"]
    + [f"(has(self.{ports}) && size(self.{ports}) > 0)" for ports in ("inputs", "outputs")]
)


class Step(StepSettings):
    """The user's container, with what it reads and writes."""

    model_config = with_rules(
        Rule(
            f"{_HAS_COMMAND} || !({_NEEDS_LAUNCHER})",
            "command is required in a step with inputs, outputs, code or timeoutSeconds, since the "
            "ENTRYPOINT of "
            'an image cannot be known here: write it out, such as command: ["python", "train.py"]',
        ),
        Rule(
            "!has(self.shards) || (has(self.inputs) && self.inputs.exists(i, i.name == self.shards.input))",
            "shards.input names no input of this step: give the name of one of its inputs",
        ),
    )

    name: StepName
    """Name of the step, unique in its pipeline."""
    image: Image | None = None
    """Image of the step's container; the installation's `stepImage` where omitted. Any image works."""
    code: Code | None = None
    """Files placed in the step's working directory."""
    command: Annotated[tuple[Word, ...], Field(max_length=256), LIST_ATOMIC] = ()
    """The program and its first arguments; never given to a shell. Required where there are inputs, outputs,
    code or timeoutSeconds. References such as $(inputs.raw.path) are replaced."""
    args: Annotated[tuple[Word, ...], Field(max_length=1024), LIST_ATOMIC] = ()
    """Further arguments; references such as $(params.rate) are replaced."""
    inputs: Annotated[tuple[Input, ...], Field(max_length=32), list_map_by("name")] = ()
    """What the step reads."""
    outputs: Annotated[tuple[Output, ...], Field(max_length=16), list_map_by("name")] = ()
    """What the step writes."""
    depends_on: Annotated[tuple[StepName, ...], Field(max_length=1000), LIST_SET] = ()
    """Steps that must have succeeded first, besides those whose outputs it reads."""
    termination_grace_period_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None
    """How long the command may take to end after it was told to, before it is killed; the installation's unless
    said otherwise. What was written in full before is still published."""
    shards: Shards | None = None
    """Runs the step several times at once, each with its share of one input."""
