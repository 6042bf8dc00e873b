"""References to objects in the same namespace: another namespace cannot even be written down."""

from typing import Annotated

from pydantic import Field

from towpath.api.meta import Model
from towpath.api.scalars import ObjectName

KeyName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]


class SecretRef(Model):
    """A Secret of the same namespace."""

    name: ObjectName
    """Name of the Secret."""


class ConfigMapRef(Model):
    """A ConfigMap of the same namespace."""

    name: ObjectName
    """Name of the ConfigMap."""


class PipelineRef(Model):
    """A Pipeline of the same namespace."""

    name: ObjectName
    """Name of the Pipeline."""


class RunRef(Model):
    """A PipelineRun of the same namespace."""

    name: ObjectName
    """Name of the PipelineRun."""


class SecretKeyRef(Model):
    """One key of a Secret."""

    name: ObjectName
    """Name of the Secret."""
    key: KeyName
    """Key in the Secret."""
    optional: bool | None = None
    """True leaves the variable out where the Secret or the key is missing, instead of holding up the step."""


class ConfigMapKeyRef(Model):
    """One key of a ConfigMap."""

    name: ObjectName
    """Name of the ConfigMap."""
    key: KeyName
    """Key in the ConfigMap."""
    optional: bool | None = None
    """True leaves the variable out where the ConfigMap or the key is missing."""


class OptionalRef(Model):
    """A Secret or ConfigMap all of whose keys become variables."""

    name: ObjectName
    """Name of the object."""
    optional: bool | None = None
    """True goes on without it where it is missing."""
