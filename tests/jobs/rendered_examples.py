"""Jobs of every shape that we make, by the name of their golden file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jobs.planned_steps import (
    INSTALLATION,
    MOVER_IMAGE,
    make_content,
    make_datastore,
    make_input,
    make_order,
    make_output,
    make_owner,
    make_plan,
    make_step,
)
from towpath.flow import store_keys
from towpath.flow.contents import Counted
from towpath.flow.mover_orders import CountSurvey, Export, InventorySurvey, Listing, Sweep, Verification, View
from towpath.flow.planned import (
    PlannedCode,
    PlannedExport,
    PlannedInput,
    PlannedShards,
    PlannedStep,
    PlannedTarget,
    StepOutputRef,
)
from towpath.flow.planned_datastores import ClaimMount, InlineCsiMount, PlannedDatastore, SidecarMount
from towpath_operator.jobs import export, inventory, probe, step, survey, sweep, verification
from towpath_operator.jobs.settings import PodSettings

Object = dict[str, Any]

CODE = PlannedCode("sha256:" + "cd" * 32, inline={"prep.py": "print('hello')\n"})
PREP = make_step(
    inputs=(make_input(),),
    outputs=(make_output(), make_output("report", optional=True, datastore="archive")),
    command=("python", "prep.py"),
    args=("--raw", "$(inputs.raw.path)", "--out", "$(outputs.clean.path)", "--share", "$(params.share)"),
    env=({"name": "NOTE", "value": "$(params.note)"}, {"name": "RAW", "value": "$(TOWPATH_INPUT_RAW)"}),
    code=CODE,
)
TRAIN = make_step(
    "train_model",
    inputs=(PlannedInput("clean", "/data/clean", StepOutputRef("prep", "clean")),),
    outputs=(
        make_output(
            "model", directory=True, make_directory=True, export=PlannedExport("archive", "models/iris-1")
        ),
    ),
    command=("python", "train.py"),
    code=PlannedCode("sha256:" + "ef" * 32, config_map="code-1234"),
    resources={
        "requests": {"cpu": 2, "memory": "1Gi"},
        "limits": {"memory": "3Gi", "ephemeral-storage": "5Gi"},
    },
    security_context={"runAsUser": 0, "runAsGroup": 0},
    image_pull_secrets=("registry",),
    timeout_seconds=600,
    termination_grace_period_seconds=45,
)
SEE = make_step(
    "see",
    inputs=(replace(make_input(), is_mounted=True),),
    outputs=(make_output("seen"),),
    command=("python", "see.py"),
)
# A way of each kind: without a cluster's help, privileged, and through claims.
THROUGH_CSI = replace(
    make_datastore(),
    mount=InlineCsiMount(
        "blob.csi.example.org", {"containerName": "raw", "protocol": "fuse2"}, "store", "team-a"
    ),
)
BESIDE = replace(make_datastore(), mount=SidecarMount(2 << 30))
MOUNTABLE = (
    replace(make_datastore(), mount=ClaimMount("shown", "team-a")),
    PlannedDatastore(
        "volume", {"claimName": "data"}, "persistentVolumeClaim", mount=ClaimMount("data", "raw")
    ),
)
HELLO = make_step("hello", image="busybox:1", command=(), args=("echo", "$(params.note)"))
ON_GPU = make_step(
    "gpu",
    image="registry.internal/train:1",
    inputs=(make_input(),),
    outputs=(make_output("model"),),
    command=("python", "train.py"),
    env=(
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "hub"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "RUN", "value": "$(run.name)"},
    ),
    env_from=({"secretRef": {"name": "tracking"}}, {"prefix": "CFG_", "configMapRef": {"name": "settings"}}),
    resources={
        "requests": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": 1},
        "limits": {"memory": "16Gi", "nvidia.com/gpu": 1},
    },
    security_context={
        "runAsUser": 2000,
        "runAsGroup": 3000,
        "fsGroup": 3000,
        "supplementalGroups": [4000],
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    image_pull_secrets=("registry", "ours"),
)
QUEUED = make_step("queued", image="busybox:1", command=("true",), queue_name="gpus")
ON_TARGET = make_step(
    "targeted",
    outputs=(make_output("model"),),
    command=("python", "train.py"),
    target=PlannedTarget(
        "gpu",
        labels={"team": "vision", "towpath.dev/run": "never-ours"},
        annotations={"example.org/note": "x"},
        pod={
            "nodeSelector": {"gpu": "yes"},
            "serviceAccountName": "default",
            "automountServiceAccountToken": True,
        },
        volumes=({"name": "scratch", "emptyDir": {}},),
        volume_mounts=({"name": "scratch", "mountPath": "/scratch"},),
        read_only_root=True,
    ),
)
MAP = make_step(
    "map",
    inputs=(make_input(),),
    outputs=(make_output("parts"), make_output("report", optional=True, datastore="archive")),
    shards=PlannedShards("raw", 10, 4),
)
# Attempts by shard, of which one was the second.
PARTS = {
    shard: store_keys.shard_attempt_id(1 + shard // 9, f"00000000-0000-0000-0000-{shard:012}")
    for shard in range(10)
}
PLAN = make_plan(
    PREP,
    TRAIN,
    HELLO,
    ON_GPU,
    MAP,
    QUEUED,
    ON_TARGET,
    params={"share": "80", "note": "costs $5, not $(HOME)"},
    datastores=(
        make_datastore("archive", credentials_secret="archive-creds", ca_config_map="archive-ca"),
        make_datastore(mover_resources={"limits": {"memory": "1Gi"}}),
    ),
)
CLAIM = "persistentVolumeClaim"
# Two folders of one claim, of which one is only read, and a claim of its own.
ON_CLAIMS = (
    PlannedDatastore("raw", {"claimName": "shared", "subPath": "raw"}, CLAIM, read_only=True),
    PlannedDatastore("results", {"claimName": "shared", "subPath": "team-a/results"}, CLAIM),
    PlannedDatastore("reference", {"claimName": "reference"}, CLAIM, read_only=True),
)
JOIN = make_step(
    "join",
    inputs=(make_input("raw"), make_input("reference")),
    outputs=(make_output("joined", datastore="results"),),
)
LISTING = Listing(
    "File",
    (
        {"path": "raw/*.csv", "datastore": "default"},
        {"url": "https://data.internal/more.csv", "caConfigMap": "internal-ca"},
    ),
    "default",
    (make_datastore(),),
)
MORE = Listing(
    "File",
    (
        {"path": "labels/", "datastore": "archive"},
        {"url": "https://labels.internal/labels.csv", "caConfigMap": "another-ca"},
    ),
    "archive",
    (make_datastore("archive"),),
)
INVENTORIES = InventorySurvey("0a1b2c3d-0", (LISTING, MORE), ("prep/raw", "train/labels"))
HALF = ({"sample": {"percent": 50, "seed": 42}},)
COUNT = CountSurvey(
    "0a1b2c3d-0", (View(make_content().inventory, HALF),), (make_datastore(),), ("Step look, input raw",)
)
SWEEP = Sweep(
    make_datastore(),
    "cluster-1",
    datasets=("iris-model", "scores"),
    runs=("abcdefabcdef",),
    kept=("0123456789ab", "ba9876543210"),
    in_place=("team-a/team-a/datasets/raw/",),
    written_since=1_770_000_000,
    written_before=1_780_000_000,
    records=({"folder": "done-0a1b2c3d", "run": {"name": "done", "uid": "0a1b2c3d-4e5f"}},),
    inventories=("00112233aabb",),
    sources=("aabb00112233",),
    condemned_before=1_779_000_000,
)
EXPORT = Export("train_model", "model", 2, make_content("model"), PlannedExport("archive", "models/iris-1"))
EARLIER = (make_content("clean", scratch_bytes=8192), make_content("model"))
VERIFICATION = Verification("0a1b2c3d-0", EARLIER, (make_datastore(),))
LOOK = make_step(
    "look", inputs=(replace(make_input(), transforms=HALF, counted=Counted(1, 50_000_000, 50_003_968)),)
)


def render(
    which: PlannedStep, attempt: int = 1, settings: PodSettings | None = None, **contents: Any
) -> Object:
    """The Job of an attempt of a step of the plan."""
    return step.render(PLAN, which, make_order(which, attempt, contents), settings or PodSettings())


def examples() -> dict[str, Object]:
    """Each example, freshly rendered."""
    clean = make_content("clean", scratch_bytes=5_000_000_000, directory=True, file=None)
    platform = PodSettings(user=None, image_pull_secrets=("ours",))
    mounting = make_plan(SEE, datastores=MOUNTABLE)
    on_claims = make_plan(JOIN, datastores=ON_CLAIMS)
    contents = {name: make_content(name, datastores=(name,), into="results") for name in ("raw", "reference")}
    run = make_owner("PipelineRun", "iris-1")
    datastore, dataset = make_owner("Datastore", "default"), make_owner("Dataset", "iris")
    return {
        "step-with-movers": render(PREP),
        "step-as-root-second-attempt": render(TRAIN, 2, clean=clean),
        "step-in-shards-second-attempt": step.render(
            PLAN, MAP, replace(make_order(MAP, 2, {}), shards=(2, 5, 6)), PodSettings()
        ),
        "merge-of-shards": step.render(
            PLAN, MAP, replace(make_order(MAP, 3, {}), parts=PARTS), PodSettings()
        ),
        "step-on-a-gpu": render(ON_GPU, settings=PodSettings(image_pull_secrets=("ours",))),
        "step-plain": render(HELLO),
        "step-in-a-queue": render(QUEUED),
        "step-on-a-compute-target": render(ON_TARGET),
        "step-user-of-the-platform": render(HELLO, settings=platform),
        "step-on-claims": step.render(on_claims, JOIN, make_order(JOIN, 1, contents), PodSettings()),
        "step-with-mounts": step.render(
            mounting,
            SEE,
            make_order(SEE, 1, {"raw": make_content(datastores=("default", "volume"))}),
            PodSettings(),
        ),
        "step-with-inline-csi": step.render(
            make_plan(SEE, datastores=(THROUGH_CSI,)), SEE, make_order(SEE, 1), PodSettings()
        ),
        "step-with-fuse-sidecar": step.render(
            make_plan(SEE, datastores=(BESIDE,)), SEE, make_order(SEE, 1), PodSettings()
        ),
        "probe-of-a-claim": probe.render(ON_CLAIMS[2], datastore, "0a1b2c3d", INSTALLATION, PodSettings()),
        "step-with-view": render(LOOK, raw=make_content(scratch_bytes=5_000_000_000)),
        "probe": probe.render(make_datastore(), datastore, "0a1b2c3d", INSTALLATION, PodSettings()),
        "take-inventory": inventory.render(LISTING, dataset, "0a1b2c3d", INSTALLATION, PodSettings()),
        "take-inventories-of-a-run": survey.render(INVENTORIES, run, MOVER_IMAGE, PodSettings()),
        "sweep": sweep.render(SWEEP, datastore, "0a1b2c3d-4e5f6071-8293a4b5", MOVER_IMAGE, PodSettings()),
        "export": export.render(PLAN, EXPORT, PodSettings()),
        "verify-outputs": verification.render(VERIFICATION, run, MOVER_IMAGE, PodSettings()),
        "count-views": survey.render(COUNT, run, MOVER_IMAGE, PodSettings()),
    }
