"""How a datastore is mounted into a step: the providers that `mode: Mount` tries in order.

Mount flags are command lines in disguise, so there is no field for them: only the attributes that say *which*
data a driver mounts can be given, from a list.
"""

from typing import Annotated

from pydantic import Field

from towpath.api.markers import Rule, checked_by
from towpath.api.meta import Model, OneOf
from towpath.api.refs import SecretRef
from towpath.api.scalars import ObjectName, Quantity, SubPath

# They name data. None of them reaches a mounting program as an option.
VOLUME_ATTRIBUTES = (
    "bucketName",
    "containerName",
    "protocol",
    "resourceGroup",
    "revision",
    "server",
    "share",
    "sourceId",
    "sourceType",
    "storageAccount",
    "subDir",
)

AttributeValue = Annotated[str, Field(max_length=256, pattern=r"^[A-Za-z0-9{][A-Za-z0-9{}._:/-]*$")]


def _only_allowed_attributes() -> Rule:
    allowed = ", ".join(f"'{name}'" for name in VOLUME_ATTRIBUTES)
    return Rule(
        f"self.all(name, name in [{allowed}])",
        "volumeAttributes may hold " + ", ".join(VOLUME_ATTRIBUTES) + ", which say what to mount. Options of "
        "the mounting program cannot be given here: let an administrator make a PersistentVolume with them, "
        "and name its claim under mount[].persistentVolumeClaim",
    )


class CsiMount(Model):
    """An inline CSI volume: it needs no other object and ends with the pod."""

    driver: ObjectName
    """Name of the CSIDriver, such as `blob.csi.azure.com`; it must support inline (Ephemeral) volumes."""
    volume_attributes: Annotated[
        dict[str, AttributeValue], Field(max_length=16), checked_by(_only_allowed_attributes())
    ] = Field(default_factory=dict)
    """What to mount, as the driver names it. Values may hold {bucket}, {prefix}, {region}, {endpoint} and
    {namespace}; commas, spaces and `..` are refused. Where none holds {prefix}, the volume is taken to show the
    whole bucket (or container), and files are looked for below the Datastore's prefix in it."""
    node_publish_secret_ref: SecretRef | None = None
    """The Secret with which the driver enters the store; from this namespace."""


class ClaimVolume(Model):
    """A PersistentVolumeClaim of the same namespace, or a folder of it."""

    claim_name: ObjectName
    """Name of the PersistentVolumeClaim."""
    sub_path: SubPath | None = None
    """Folder inside the volume; the whole volume where omitted."""


class FuseSidecar(Model):
    """The built-in FUSE mount beside the step. It is privileged, so an administrator must have enabled it."""

    cache_size: Quantity | None = None
    """Disk that the mount may use for its cache, such as `20Gi`."""


class MountProvider(OneOf):
    """One way to mount a datastore; exactly one of these."""

    csi: CsiMount | None = None
    """An inline CSI volume."""
    persistent_volume_claim: ClaimVolume | None = None
    """A claim through which the same data can be read, made by an administrator."""
    fuse_sidecar: FuseSidecar | None = None
    """The built-in FUSE mount; off unless enabled at installation."""
