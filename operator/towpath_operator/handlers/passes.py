"""Which pass each kind gets."""

from __future__ import annotations

from collections.abc import Mapping

from towpath_operator.cluster import resources
from towpath_operator.handlers import dataset, datasetversion, datastore, pipeline, pipelinerun
from towpath_operator.handlers.workers import Pass

PASSES: Mapping[str, Pass] = {
    resources.DATASTORES.kind: datastore.reconcile,
    resources.DATASETS.kind: dataset.reconcile,
    resources.DATASET_VERSIONS.kind: datasetversion.reconcile,
    resources.PIPELINES.kind: pipeline.reconcile,
    resources.PIPELINE_RUNS.kind: pipelinerun.reconcile,
}
