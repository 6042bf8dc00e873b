"""Objects in which every field of the API is given at least once: what the sweep over all bounds starts from."""

from __future__ import annotations

from builders import DIGEST, Object, make_datastore, make_inventory_ref, make_object, make_run, make_version

CA = {"name": "my-ca"}
CREDENTIALS = {"name": "creds"}
MOVER = {"resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "256Mi"}}}
CSI = {
    "driver": "blob.csi.azure.com",
    "volumeAttributes": {"containerName": "ml-data"},
    "nodePublishSecretRef": CREDENTIALS,
}
FORMAT = {"csv": {"separator": ";", "header": "NoHeaders", "encoding": "latin1"}}
PATH_SOURCE = {
    "path": "raw/**/*.csv",
    "datastore": "default",
    "hash": "Content",
    "partitionFormat": "/{day}/*",
}
URL_SOURCE = {
    "url": "https://example.org/cats.zip",
    "archive": {"type": "Zip", "entryGlob": "**/*.jpg", "maxEntries": 9, "maxBytes": 99, "maxRatio": 9},
    "caConfigMapRef": CA,
}
INLINE = {"type": "Tabular", "format": FORMAT, "sources": [PATH_SOURCE, URL_SOURCE]}
PARTS = [{"name": "train", "percent": 80}, {"name": "test"}]
TRANSFORMS = [
    {"sample": {"percent": 50, "seed": 42, "exact": True}},
    {"split": {"parts": PARTS, "part": "train", "seed": "$(params.seed)", "exact": True, "groupBy": "Stem"}},
    {"take": {"count": 10}},
    {"skip": {"count": "10"}},
    {"filter": {"path": "**/*.csv", "minBytes": 1, "maxBytes": 100}},
    {"shard": {"index": 0, "count": 4}},
    {"columns": {"keep": ["id"]}},
    {"columns": {"drop": ["note"]}},
]
INPUT = {
    "name": "raw",
    "transforms": TRANSFORMS,
    "mode": "Mount",
    "mountPath": "/data/raw",
    "access": "Partial",
    "onUnavailable": "Download",
    "allowEmpty": True,
}
INPUTS = [
    INPUT | {"dataset": {"name": "iris", "version": 3}},
    {"name": "clean", "from": {"step": "prep", "output": "clean", "format": {"parquet": {}}}},
    {"name": "folder", "source": INLINE},
]
OUTPUT = {
    "name": "model",
    "datastore": "default",
    "register": {
        "name": "iris-model",
        "type": "Tabular",
        "format": FORMAT,
        "tags": {"a": "b"},
        "description": "x",
    },
    "directory": True,
    "mountPath": "/data/model",
    "makeDirectory": True,
    "optional": True,
    "allowEmpty": True,
    "export": {"datastore": "default", "path": "results/{run-id}"},
}
ENV = [
    {"name": "RATE", "value": "$(params.rate)"},
    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "token", "optional": True}}},
    {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "mine", "key": "level", "optional": True}}},
    {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
]
SETTINGS = {
    "resources": {"requests": {"cpu": 1}, "limits": {"nvidia.com/gpu": 1}},
    "env": ENV,
    "envFrom": [
        {"prefix": "A_", "secretRef": {"name": "a", "optional": True}},
        {"configMapRef": {"name": "b"}},
    ],
    "retries": 2,
    "timeoutSeconds": 3600,
    "pendingTimeoutSeconds": 600,
    "reuse": "Never",
    "securityContext": {
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "supplementalGroups": [2000],
        "seccompProfile": {"type": "Localhost", "localhostProfile": "step.json"},
    },
    "imagePullSecrets": [{"name": "registry"}],
    "computeTarget": "gpu",
    "queueName": "team-a",
}
STEP = SETTINGS | {
    "name": "train",
    "image": "python:3.12-slim",
    "code": {"inline": {"train.py": "print()"}},
    "command": ["python", "train.py"],
    "args": ["--rate", "$(params.rate)"],
    "inputs": INPUTS,
    "outputs": [OUTPUT],
    "dependsOn": ["prep"],
    "terminationGracePeriodSeconds": 60,
    "shards": {"input": "raw", "count": 4, "parallelism": 2},
}
SNAPSHOT = {"datastore": "default", "path": "team-a/code/ab.tar.gz", "digest": DIGEST}
PREP = {"name": "prep", "command": ["sh"], "code": {"configMapRef": {"name": "code"}}}
SPLIT = {"name": "split", "command": ["sh"], "code": {"snapshot": SNAPSHOT}}
PIPELINE_SPEC = {
    "description": "everything",
    "params": [{"name": "rate", "type": "number", "default": 0.5, "description": "learning rate"}],
    "stepDefaults": SETTINGS,
    "steps": [STEP, PREP, SPLIT],
    "retention": {"keepSeconds": 60},
    "timeoutSeconds": 7200,
}

DATASTORES = [
    make_datastore(
        s3={
            "endpoint": "https://minio.data",
            "bucket": "ml-data",
            "prefix": "team-a/",
            "region": "us-east-1",
            "createBucket": True,
            "caConfigMapRef": CA,
            "credentialsSecretRef": CREDENTIALS,
        },
        readOnly=True,
        mount=[
            {"csi": CSI},
            {"persistentVolumeClaim": {"claimName": "d", "subPath": "a"}},
            {"fuseSidecar": {"cacheSize": "20Gi"}},
        ],
        mover=MOVER,
    ),
    make_datastore(
        azureBlob={
            "account": "mlaccount",
            "container": "data",
            "prefix": "a/",
            "endpoint": "https://azurite.data",
            "caConfigMapRef": CA,
            "credentialsSecretRef": CREDENTIALS,
        }
    ),
    make_datastore(
        gcs={
            "bucket": "ml-data",
            "prefix": "a/",
            "endpoint": "https://gcs.data",
            "caConfigMapRef": CA,
            "credentialsSecretRef": CREDENTIALS,
        }
    ),
    make_datastore(persistentVolumeClaim={"claimName": "shared", "subPath": "team-a"}),
]
DATASETS = [
    make_object(
        "Dataset",
        "iris",
        INLINE
        | {
            "refresh": {"intervalSeconds": 3600, "beforeRun": True},
            "deletionPolicy": "Delete",
            "description": "150 flowers",
            "tags": {"owner": "team-a"},
        },
    ),
    make_object("Dataset", "rows", {"type": "Tabular", "format": {"parquet": {}}}),
    make_object("Dataset", "lines", {"type": "Tabular", "format": {"jsonLines": {}}}),
]
VERSIONS = [
    make_version(
        type="Tabular",
        format=FORMAT,
        schema={"columns": [{"name": "petal", "type": "number"}]},
        inventory=make_inventory_ref(),
        producedBy={"run": "iris-1", "step": "prep", "output": "clean", "attempt": "1-abc"},
        derivedFrom=[{"dataset": "raw", "version": 1, "digest": DIGEST, "input": "raw"}],
        tags={"owner": "team-a"},
        description="150 flowers",
    )
]
RUNS = [
    make_run(
        pipelineSpec=PIPELINE_SPEC,
        params={"rate": 0.1},
        reuse=False,
        continueOnStepFailure=True,
        timeoutSeconds=60,
    ),
    make_run(pipelineRef={"name": "iris"}, cancel=True),
    make_run(retryOf={"name": "iris-0"}),
]
EVERYTHING: list[Object] = [
    *DATASTORES,
    *DATASETS,
    *VERSIONS,
    make_object("Pipeline", "iris", PIPELINE_SPEC),
    *RUNS,
]
