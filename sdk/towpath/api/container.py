"""The parts of a Kubernetes container that a step may set: a curated subset of core/v1, typed and bounded."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from towpath.api.markers import LIST_ATOMIC, LIST_SET, Rule, list_map_by, with_rules
from towpath.api.meta import Model, OneOf
from towpath.api.refs import ConfigMapKeyRef, OptionalRef, SecretKeyRef, SecretRef
from towpath.api.scalars import Quantity

ResourceList = Annotated[dict[str, Quantity], Field(max_length=16)]
UserId = Annotated[int, Field(ge=0, le=2_147_483_647)]


class Resources(Model):
    """What a container asks of its node."""

    requests: ResourceList = Field(default_factory=dict)
    """What the scheduler sets aside, such as `cpu: 500m`, `memory: 1Gi`, `nvidia.com/gpu: 1`."""
    limits: ResourceList = Field(default_factory=dict)
    """What the container may use at most. Write fractions as `500m` or as a quoted string."""


class FieldRef(Model):
    """A field of the pod."""

    field_path: Annotated[str, Field(min_length=1, max_length=316)]
    """Path of the field, such as `metadata.name` or `status.podIP`."""


class ResourceFieldRef(Model):
    """A request or limit of the step's container."""

    resource: Annotated[str, Field(min_length=1, max_length=128)]
    """What to read, such as `limits.memory`."""
    divisor: Quantity | None = None
    """The unit to give it in, such as `1Mi`; 1 unless said otherwise."""


class EnvVarSource(OneOf):
    """Where a variable's value comes from; exactly one of these."""

    secret_key_ref: SecretKeyRef | None = None
    """A key of a Secret of this namespace. It is the user's own and reaches the step."""
    config_map_key_ref: ConfigMapKeyRef | None = None
    """A key of a ConfigMap of this namespace."""
    field_ref: FieldRef | None = None
    """A field of the pod, such as its name."""
    resource_field_ref: ResourceFieldRef | None = None
    """A request or limit of the step's container."""


class EnvVar(Model):
    """One environment variable of the step."""

    model_config = with_rules(
        Rule(
            "!has(self.value) || !has(self.valueFrom)",
            "a variable has a value or a valueFrom, not both: remove one of them",
        ),
        Rule(
            "!self.name.startsWith('TOWPATH_')",
            "names that begin with TOWPATH_ are set by Towpath: choose another name",
        ),
    )

    name: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")]
    """Name of the variable."""
    value: Annotated[str, Field(max_length=32_768)] | None = None
    """The value; references such as `$(params.rate)` are replaced."""
    value_from: EnvVarSource | None = None
    """Where the value comes from, instead of `value`."""


class EnvFromSource(Model):
    """An object all of whose keys become environment variables."""

    model_config = with_rules(
        Rule(
            "has(self.secretRef) != has(self.configMapRef)",
            "an envFrom entry names exactly one of secretRef and configMapRef",
        )
    )

    prefix: Annotated[str, Field(max_length=128, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")] | None = None
    """Put in front of every key."""
    secret_ref: OptionalRef | None = None
    """A Secret of this namespace."""
    config_map_ref: OptionalRef | None = None
    """A ConfigMap of this namespace."""


class SeccompType(StrEnum):
    """Which seccomp profile applies."""

    RUNTIME_DEFAULT = "RuntimeDefault"
    LOCALHOST = "Localhost"
    UNCONFINED = "Unconfined"


class SeccompProfile(Model):
    """The system calls that the step may make."""

    model_config = with_rules(
        Rule(
            "has(self.localhostProfile) == (self.type == 'Localhost')",
            "localhostProfile goes with type Localhost, and only with it",
        )
    )

    type: SeccompType
    """RuntimeDefault, Localhost (a profile on the node), or Unconfined (refused by Pod Security
    `baseline`)."""
    localhost_profile: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """File of the profile below the kubelet's seccomp folder; only with type Localhost."""


class SecurityContext(Model):
    """Who the step runs as. All containers of its pod, the movers too, run as this one user."""

    run_as_user: UserId | None = None
    """User ID; the installation's (1000) unless said otherwise. An image that must be root says 0 here."""
    run_as_group: UserId | None = None
    """Group ID; the installation's (1000) unless said otherwise."""
    fs_group: UserId | None = None
    """Group that owns the volumes which support it."""
    supplemental_groups: Annotated[tuple[UserId, ...], Field(max_length=32), LIST_SET] = ()
    """More groups of the step's processes."""
    seccomp_profile: SeccompProfile | None = None
    """The system calls that the step may make; RuntimeDefault unless said otherwise."""


Env = Annotated[tuple[EnvVar, ...], Field(max_length=128), list_map_by("name")]
EnvFrom = Annotated[tuple[EnvFromSource, ...], Field(max_length=32), LIST_ATOMIC]
PullSecrets = Annotated[tuple[SecretRef, ...], Field(max_length=16), list_map_by("name")]
