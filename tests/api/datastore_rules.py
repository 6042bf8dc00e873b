"""What a Datastore may say: each rule with a good and a bad object."""

from __future__ import annotations

from api.judge import Case, Change
from builders import Object, make_datastore, make_s3

CA = {"name": "my-ca"}
CREDENTIALS = {"name": "creds"}


def on_azure(**fields: object) -> Object:
    """A Datastore on Azure Blob Storage."""
    return make_datastore(azureBlob={"account": "mlaccount", "container": "data"} | fields)


def on_gcs(**fields: object) -> Object:
    """A Datastore on Google Cloud Storage."""
    return make_datastore(gcs={"bucket": "ml-data"} | fields)


def on_claim(**fields: object) -> Object:
    """A Datastore on a volume."""
    return make_datastore(persistentVolumeClaim={"claimName": "shared"} | fields)


def on_s3(**fields: object) -> Object:
    """A Datastore on S3."""
    return make_datastore(s3=make_s3(**fields))


def mounted_by_csi(**attributes: str) -> Object:
    """A Datastore that is mounted by an inline CSI volume."""
    return make_datastore(mount=[{"csi": {"driver": "blob.csi.azure.com", "volumeAttributes": attributes}}])


RULES = [
    Case(
        "a Datastore is one kind of store",
        make_datastore(),
        make_datastore(s3=make_s3(), gcs={"bucket": "abc"}),
        "exactly one of s3, azureBlob, gcs and persistentVolumeClaim: give one of them",
    ),
    Case(
        "an endpoint carries no credentials",
        on_s3(endpoint="https://minio.data:9000"),
        on_s3(endpoint="https://user:secret@minio.data:9000"),
        "without user name, password or query",
    ),
    Case(
        "an endpoint is a URL of http or https",
        on_s3(endpoint="http://[fd00::1]:9000"),
        on_s3(endpoint="minio.data:9000"),
        "endpoint is a URL such as https://minio.data:9000",
    ),
    Case(
        "a prefix stays where it is",
        on_s3(prefix="team-a/data/"),
        on_s3(prefix="../team-b/"),
        "prefix is a relative path such as team-a/data/",
    ),
    Case(
        "a subPath stays inside its volume",
        on_claim(subPath="team-a"),
        on_claim(subPath="team-a/../team-b"),
        "subPath is a relative path inside the volume",
    ),
    Case(
        "a CA on S3 needs https",
        on_s3(endpoint="https://minio.data", caConfigMapRef=CA),
        on_s3(endpoint="http://minio.data", caConfigMapRef=CA),
        "caConfigMapRef is for https",
    ),
    Case(
        "a CA on Azure needs https",
        on_azure(endpoint="https://azurite.data", caConfigMapRef=CA),
        on_azure(endpoint="http://azurite.data", caConfigMapRef=CA),
        "caConfigMapRef is for https",
    ),
    Case(
        "a CA on GCS needs https",
        on_gcs(endpoint="https://gcs.data", caConfigMapRef=CA),
        on_gcs(endpoint="http://gcs.data", caConfigMapRef=CA),
        "caConfigMapRef is for https",
    ),
    Case(
        "credentials that travel need https",
        on_gcs(endpoint="https://gcs.data", credentialsSecretRef=CREDENTIALS),
        on_gcs(endpoint="http://gcs.data", credentialsSecretRef=CREDENTIALS),
        "travel with every request",
    ),
    Case(
        "a volume is mounted as it is",
        on_claim(),
        on_claim() | {"spec": on_claim()["spec"] | {"mount": [{"fuseSidecar": {}}]}},
        "mounted as it is: remove mount",
    ),
    Case(
        "mount options cannot be smuggled in",
        mounted_by_csi(containerName="ml-data"),
        mounted_by_csi(mountOptions="--allow-other"),
        "Options of the mounting program cannot be given here",
    ),
    Case(
        "an attribute holds no separators",
        mounted_by_csi(containerName="{bucket}"),
        mounted_by_csi(containerName="ml-data,allow_other"),
        "volumeAttributes.containerName in body should match",
    ),
    Case(
        "a mount provider is one thing",
        make_datastore(mount=[{"fuseSidecar": {"cacheSize": "20Gi"}}]),
        make_datastore(mount=[{"fuseSidecar": {}, "persistentVolumeClaim": {"claimName": "data"}}]),
        "spec.mount[0]: Too many: 2: must have at most 1 item",
    ),
    Case(
        "a mount provider is something",
        make_datastore(mount=[{"persistentVolumeClaim": {"claimName": "data"}}]),
        make_datastore(mount=[{}]),
        "spec.mount[0] in body should have at least 1 properties",
    ),
    Change(
        "the kind of store stays",
        make_datastore(readOnly=True),
        on_gcs(),
        "the kind of store says where the data lies",
        before=make_datastore(),
    ),
    Change(
        "the place on S3 stays",
        on_s3(credentialsSecretRef={"name": "new"}),
        on_s3(bucket="other"),
        "endpoint, bucket, prefix, region: each says where the data lies",
        before=on_s3(),
    ),
    Change(
        "the prefix on S3 cannot be taken away",
        make_datastore(s3={"bucket": "ml-data", "prefix": "team-a/", "createBucket": True}),
        make_datastore(s3={"bucket": "ml-data"}),
        "endpoint, bucket, prefix, region: each says",
        before=make_datastore(s3={"bucket": "ml-data", "prefix": "team-a/"}),
    ),
    Change(
        "the place on Azure stays",
        on_azure(credentialsSecretRef=CREDENTIALS),
        on_azure(container="other"),
        "account, container, prefix, endpoint: each says",
        before=on_azure(),
    ),
    Change(
        "the place on GCS stays",
        on_gcs(credentialsSecretRef=CREDENTIALS),
        on_gcs(prefix="elsewhere/"),
        "bucket, prefix, endpoint: each says",
        before=on_gcs(),
    ),
    Change(
        "the volume stays",
        on_claim() | {"spec": on_claim()["spec"] | {"readOnly": True}},
        on_claim(subPath="elsewhere"),
        "persistentVolumeClaim says where the data lies",
        before=on_claim(),
    ),
]
