"""All stores of one operator, and which key an event makes dirty: a child's event concerns its owner.

Nothing here asks the API server: events of parents and children come in, keys go into the queue.
"""

from __future__ import annotations

from typing import Any

from towpath.flow import names
from towpath_operator.cluster import resources
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.resources import Key
from towpath_operator.cluster.slim import slim_job, slim_ours, slim_pod
from towpath_operator.cluster.store import Store, owners_of
from towpath_operator.cluster.work import WorkIndex

Json = dict[str, Any]

_OWNING_KINDS = frozenset({"PipelineRun", "Datastore", "Dataset"})


class Cache:
    """One store per kind that the operator watches. `queue` is told what wants a pass."""

    def __init__(self, queue: KeyedQueue) -> None:
        self._queue = queue
        self.datastores = Store(resources.DATASTORES, self._datastore_changed, slim_ours)
        self.datasets = Store(resources.DATASETS, self._dataset_changed, slim_ours)
        self.versions = Store(resources.DATASET_VERSIONS, self._version_changed, slim_ours)
        self.pipelines = Store(resources.PIPELINES, self._pipeline_changed, slim_ours)
        self.runs = Store(resources.PIPELINE_RUNS, self._run_changed, slim_ours)
        self.jobs = Store(resources.JOBS, self._job_changed, slim_job)
        self.pods = Store(resources.PODS, self._pod_changed, slim_pod, _owners_of_pod)
        self.work = WorkIndex(self.runs, queue.add)

    @property
    def ours(self) -> tuple[Store, ...]:
        """The stores of our own kinds."""
        return (self.datastores, self.datasets, self.versions, self.pipelines, self.runs)

    def mark_all(self) -> None:
        """Every object of ours gets a pass: what a new leader begins with."""
        for store in self.ours:
            for item in store.all():
                self._mark(store, item)

    def _datastore_changed(self, item: Json) -> None:
        self._mark(self.datastores, item)
        namespace = item["metadata"]["namespace"]
        for dataset in self.datasets.all(namespace):
            self._mark(self.datasets, dataset)
        for run in self.runs.all(namespace):
            if not is_finished(run):
                self._mark(self.runs, run)

    def _dataset_changed(self, item: Json) -> None:
        self._mark(self.datasets, item)
        self._mark_datastores(item)
        self._mark_unplanned_runs(item)

    def _version_changed(self, item: Json) -> None:
        meta, dataset = item["metadata"], item["spec"]["dataset"]
        self._queue.add(Key(resources.DATASETS.kind, meta["namespace"], dataset))
        self._mark_datastores(item)
        self._mark_unplanned_runs(item)

    def _pipeline_changed(self, item: Json) -> None:
        self._mark(self.pipelines, item)
        self._mark_unplanned_runs(item)

    def _run_changed(self, item: Json) -> None:
        self._mark(self.runs, item)
        self.work.run_changed(item)

    def _job_changed(self, item: Json) -> None:
        self._mark_owner(item)
        meta = item["metadata"]
        self.work.job_changed(item, self.jobs.get(meta["namespace"], meta["name"]) is not None)

    def _pod_changed(self, item: Json) -> None:
        for owner in item["metadata"].get("ownerReferences", ()):
            job = self.jobs.get(item["metadata"]["namespace"], owner["name"])
            if job is not None and job["metadata"]["uid"] == owner["uid"]:
                self._mark_owner(job)

    def _mark_owner(self, job: Json) -> None:
        for owner in job["metadata"].get("ownerReferences", ()):
            if owner["kind"] in _OWNING_KINDS:
                self._queue.add(Key(owner["kind"], job["metadata"]["namespace"], owner["name"]))

    def _mark_datastores(self, item: Json) -> None:
        # What is gone may be swept.
        for datastore in self.datastores.all(item["metadata"]["namespace"]):
            self._mark(self.datastores, datastore)

    def _mark_unplanned_runs(self, item: Json) -> None:
        for run in self.runs.all(item["metadata"]["namespace"]):
            if not is_finished(run) and not (run.get("status") or {}).get("planDigest"):
                self._mark(self.runs, run)

    def _mark(self, store: Store, item: Json) -> None:
        self._queue.add(store.resource.key(item))


def _owners_of_pod(pod: Json) -> list[str]:
    """Its Job; of a pod that was taken from its Job, the run that its labels name."""
    run = pod["metadata"].get("labels", {}).get(names.RUN_UID_LABEL)
    return owners_of(pod) or ([run] if run else [])


def is_finished(run: Json) -> bool:
    """Whether a run has come to its end."""
    return bool((run.get("status") or {}).get("completionTime"))
