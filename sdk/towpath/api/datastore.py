"""Datastore: a place that holds bytes, and how to enter it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from towpath.api.container import Resources
from towpath.api.markers import LIST_ATOMIC, PrinterColumn, Rule, unchanged, with_rules
from towpath.api.meta import Conditions, KindInfo, Model, Resource, StatusModel, Time
from towpath.api.mounts import ClaimVolume, MountProvider
from towpath.api.refs import ConfigMapRef, SecretRef
from towpath.api.scalars import Count, Endpoint, KeyPrefix, ObjectName

BucketName = Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$")]
GcsBucketName = Annotated[str, Field(min_length=3, max_length=222, pattern=r"^[a-z0-9][a-z0-9._-]*[a-z0-9]$")]
MOVED = (
    "says where the data lies and cannot change, since versions point there: create another Datastore "
    "for another place"
)
CA_NEEDS_HTTPS = Rule(
    "!has(self.caConfigMapRef) || !has(self.endpoint) || self.endpoint.startsWith('https://')",
    "caConfigMapRef is for https: write https:// in endpoint, or remove caConfigMapRef",
)


class S3(Model):
    """A bucket of Amazon S3 or of a server that speaks its protocol."""

    model_config = with_rules(
        Rule(
            unchanged("endpoint", "bucket", "prefix", "region"),
            f"endpoint, bucket, prefix, region: each {MOVED}",
        ),
        CA_NEEDS_HTTPS,
    )

    endpoint: Endpoint | None = None
    """URL of the server, such as http://minio.data:9000; omitted for AWS. Immutable."""
    bucket: BucketName
    """The bucket. Immutable."""
    prefix: KeyPrefix | None = None
    """Everything that this datastore can see lies under it, such as `team-a/`. Immutable."""
    region: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9-]+$")] | None = None
    """Region of the bucket, such as us-east-1. Immutable."""
    create_bucket: bool = False
    """True makes the bucket where it is missing."""
    ca_config_map_ref: ConfigMapRef | None = None
    """A ConfigMap whose key `ca.crt` holds the certificates to trust, for a server with its own authority."""
    credentials_secret_ref: SecretRef | None = None
    """A Secret with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and perhaps AWS_SESSION_TOKEN. Only movers read
    it. Where omitted, movers use the pod's own identity, and then the user's code in that pod can use it
    too."""


class AzureBlob(Model):
    """A container of Azure Blob Storage."""

    model_config = with_rules(
        Rule(
            unchanged("account", "container", "prefix", "endpoint"),
            f"account, container, prefix, endpoint: each {MOVED}",
        ),
        CA_NEEDS_HTTPS,
    )

    account: Annotated[str, Field(min_length=3, max_length=24, pattern=r"^[a-z0-9]+$")]
    """The storage account. Immutable."""
    container: Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9$][a-z0-9-]*[a-z0-9]$")]
    """The container. Immutable."""
    prefix: KeyPrefix | None = None
    """Everything that this datastore can see lies under it. Immutable."""
    endpoint: Endpoint | None = None
    """URL of the service; omitted for the public cloud. Immutable."""
    ca_config_map_ref: ConfigMapRef | None = None
    """A ConfigMap whose key `ca.crt` holds the certificates to trust."""
    credentials_secret_ref: SecretRef | None = None
    """A Secret with AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_SAS_TOKEN (which travels, so it needs https),
    or AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_TENANT_ID (with AZURE_AUTHORITY_HOST in clouds of their
    own; https too). Where omitted, movers use the pod's own identity, and then the user's code in that pod can
    use it too."""


class Gcs(Model):
    """A bucket of Google Cloud Storage."""

    model_config = with_rules(
        Rule(unchanged("bucket", "prefix", "endpoint"), f"bucket, prefix, endpoint: each {MOVED}"),
        CA_NEEDS_HTTPS,
        Rule(
            "!has(self.credentialsSecretRef) || !has(self.endpoint) || self.endpoint.startsWith('https://')",
            "credentials for Google Cloud Storage travel with every request, so they need https: "
            "write https:// "
            "in endpoint, or remove credentialsSecretRef",
        ),
    )

    bucket: GcsBucketName
    """The bucket. Immutable."""
    prefix: KeyPrefix | None = None
    """Everything that this datastore can see lies under it. Immutable."""
    endpoint: Endpoint | None = None
    """URL of the service; omitted for Google's own. Immutable."""
    ca_config_map_ref: ConfigMapRef | None = None
    """A ConfigMap whose key `ca.crt` holds the certificates to trust."""
    credentials_secret_ref: SecretRef | None = None
    """A Secret with GOOGLE_SERVICE_ACCOUNT_KEY (the JSON document). Where omitted, movers use the pod's own
    identity, and then the user's code in that pod can use it too."""


class MoverSettings(Model):
    """Settings of the movers that work with this datastore."""

    resources: Resources | None = None
    """Requests and limits of the movers; the installation's unless said otherwise."""


KINDS_OF_STORE = ("s3", "azureBlob", "gcs", "persistentVolumeClaim")


class DatastoreSpec(Model):
    """Where the bytes lie, and how to reach them."""

    model_config = with_rules(
        Rule(
            "[" + ", ".join(f"has(self.{kind})" for kind in KINDS_OF_STORE) + "].exists_one(given, given)",
            "a Datastore is exactly one of s3, azureBlob, gcs and persistentVolumeClaim: give one of them",
        ),
        Rule(
            " && ".join(f"has(self.{kind}) == has(oldSelf.{kind})" for kind in KINDS_OF_STORE),
            f"the kind of store {MOVED}",
        ),
        Rule(
            "!has(self.persistentVolumeClaim) || !has(oldSelf.persistentVolumeClaim) || "
            "self.persistentVolumeClaim == oldSelf.persistentVolumeClaim",
            f"persistentVolumeClaim {MOVED}",
        ),
        Rule(
            "!has(self.persistentVolumeClaim) || !has(self.mount)",
            "a Datastore on a persistentVolumeClaim is mounted as it is: remove mount",
        ),
    )

    s3: S3 | None = None
    """A bucket of Amazon S3, MinIO, SeaweedFS, Ceph or another server that speaks S3."""
    azure_blob: AzureBlob | None = None
    """A container of Azure Blob Storage."""
    gcs: Gcs | None = None
    """A bucket of Google Cloud Storage."""
    persistent_volume_claim: ClaimVolume | None = None
    """A volume of this namespace that several pods can share. Immutable."""
    read_only: bool = False
    """True refuses to publish, register or sweep here."""
    mount: Annotated[tuple[MountProvider, ...], Field(max_length=8), LIST_ATOMIC] = ()
    """How `mode: Mount` is done here: in order, the first usable provider wins."""
    mover: MoverSettings | None = None
    """Settings of the movers that work with this datastore."""


class TransferMover(StatusModel):
    """The installation's mover, of which a pod is made that serves this datastore to its user's own machine."""

    image: Annotated[str, Field(min_length=1, max_length=1024)]
    """The image of movers."""
    image_pull_policy: Annotated[str, Field(max_length=32)] = "IfNotPresent"
    """When it is pulled."""
    image_pull_secrets: Annotated[tuple[ObjectName, ...], Field(max_length=16), LIST_ATOMIC] = ()
    """The Secrets with which it is pulled."""
    user: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """UID and GID of movers; omitted where the platform gives them."""
    resources: Resources | None = None
    """Requests and limits of movers."""


class DatastoreStatus(StatusModel):
    """What the last probe found."""

    observed_generation: Count = 0
    """The `metadata.generation` that the conditions speak of."""
    conditions: Conditions = ()
    """`Ready`: whether a probe could list, write, read back and delete; the reason says what failed, and as
    whom."""
    observed_at: Time | None = None
    """When a probe last ended."""
    requested_at: Annotated[str, Field(max_length=256)] | None = None
    """The value of the annotation towpath.dev/requested-at that the last probe answered."""
    mover: TransferMover | None = None
    """Of what a pod is made that serves this datastore to its user's own machine (`towpath cp`)."""
    swept_at: Time | None = None
    """When a sweep of what nothing refers to any more was last begun."""
    swept: Annotated[str, Field(max_length=1024)] | None = None
    """What that sweep deleted, or why it could not."""
    swept_for: Annotated[str, Field(max_length=64)] | None = None
    """Stands for what was gone when that sweep began: only if more is gone, or after a day, there is another."""
    sweep_requested: Annotated[str, Field(max_length=256)] | None = None
    """The value of the annotation towpath.dev/sweep that the last sweep answered."""


class Datastore(Resource):
    """A place that holds bytes, and how to enter it. The one named `default` is used where none is named."""

    info: ClassVar[KindInfo] = KindInfo(
        kind="Datastore",
        plural="datastores",
        short_name="tpstore",
        columns=(
            PrinterColumn("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            PrinterColumn("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
            # A union of paths: the first that is there is printed.
            PrinterColumn(
                "Place",
                ".spec['s3.bucket','azureBlob.container','gcs.bucket','persistentVolumeClaim.claimName']",
            ),
            PrinterColumn("Endpoint", ".spec['s3.endpoint','azureBlob.endpoint','gcs.endpoint']", priority=1),
            PrinterColumn("Read-Only", ".spec.readOnly", "boolean", priority=1),
            PrinterColumn("Probed", ".status.observedAt", "date"),
            PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
            PrinterColumn("Message", ".status.conditions[?(@.type=='Ready')].message"),
        ),
    )

    kind: Literal["Datastore"] = "Datastore"
    spec: DatastoreSpec
    """Where the bytes lie, and how to reach them."""
    status: DatastoreStatus = DatastoreStatus()
    """What the last probe found; written by the operator."""
