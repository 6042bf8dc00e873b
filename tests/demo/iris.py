"""The iris example on a test cluster: its flowers in the bucket, its manifests applied, a run of it."""

from __future__ import annotations

from cluster.access import REPOSITORY, Access
from cluster.installation import Tools, apply_store_secret
from cluster.space import client_for

FOLDER = REPOSITORY / "examples" / "iris"
MANIFESTS = ("datastore.yaml", "dataset.yaml", "pipeline.yaml")
KINDS = ("datastores", "datasets", "datasetversions", "pipelines", "pipelineruns")


def start_iris(tools: Tools, access: Access, namespace: str, bucket: str) -> str:
    """Puts the flowers into the bucket, applies every manifest, and starts a run; its name."""
    upload_flowers(access, bucket)
    apply_store_secret(tools, namespace, "iris-store", access.s3.admin)
    for name in MANIFESTS:
        tools.kubectl("-n", namespace, "apply", "-f", "-", stdin=manifest(name, access, bucket))
    run = manifest("run.yaml", access, bucket)
    return tools.kubectl("-n", namespace, "create", "-o", "name", "-f", "-", stdin=run).strip().split("/")[-1]


def upload_flowers(access: Access, bucket: str) -> None:
    """The 150 rows, as an object that Towpath did not write."""
    store = client_for(access.s3)
    if not store.bucket_exists(bucket):
        store.make_bucket(bucket)
    store.fput_object(bucket, "team-a/raw/iris.csv", str(FOLDER / "iris.csv"))


def manifest(name: str, access: Access, bucket: str) -> str:
    """One of the example's files, with this cluster's endpoint and bucket in place of the example's."""
    text = (FOLDER / name).read_text()
    return text.replace("http://s3.default:9000", access.s3.endpoint).replace("towpath-iris", bucket)
