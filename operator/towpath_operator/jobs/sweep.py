"""A Datastore and what may go from it → the Job whose mover deletes that, and the ConfigMaps with its lists.

The lists are longer than a variable may be. The Job comes first and owns them: its pod waits until all are there.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from towpath.flow import names
from towpath.flow.documents import canonical, datastore_document, digest_of
from towpath.flow.mover_orders import Sweep
from towpath.flow.planned import FORMAT_VERSION
from towpath_operator.jobs.job import JobIdentity, Object, Owner
from towpath_operator.jobs.mover_job import MoverOrder, mover_job
from towpath_operator.jobs.settings import PodSettings

FOLDER = "/towpath/sweep"
_VOLUME = "sweep-lists"
# Marks are as good as random, so gzip makes a byte for two of their digits, and a little more.
_WORDS = 50_000
# Of one ConfigMap; Kubernetes ends at 1 MiB of the whole object.
_LIMIT_BYTES = 980 * 1024


def render(sweep: Sweep, owner: Owner, ask: str, image: str, settings: PodSettings) -> Object:
    """The sweep Job of a Datastore; the same `ask` gives the same name. `image` is the mover's own."""
    digest = digest_of(_documents(sweep))
    annotations = {names.ASK_ANNOTATION: ask, names.ORDER_ANNOTATION: digest}
    if sweep.records:
        recorded = (record["run"] for record in sweep.records)
        annotations[names.RECORDS_ANNOTATION] = ",".join(f"{run['name']}/{run['uid']}" for run in recorded)
    identity = JobIdentity(
        name=names.mover_job_name(names.SWEEP_COMPONENT, owner.name, owner.uid, ask),
        owner=owner,
        labels=names.job_labels(names.SWEEP_COMPONENT)
        | {names.DATASTORE_LABEL: names.label_value(owner.name)},
        annotations=annotations,
    )
    order = MoverOrder(names.SWEEP_CONTAINER, image, _order(sweep, owner), [sweep.datastore])
    job = mover_job(identity, order, settings)
    maps = [names.sweep_list_name(identity.name, digest, number) for number in range(len(_packed(sweep)))]
    return _with_lists(job, maps)


def config_maps(sweep: Sweep, job: Mapping[str, Any]) -> Iterator[Object]:
    """The ConfigMaps of a sweep whose Job this is, as it is stored."""
    meta, digest = job["metadata"], digest_of(_documents(sweep))
    for number, files in enumerate(_packed(sweep)):
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": names.sweep_list_name(meta["name"], digest, number),
                "namespace": meta["namespace"],
                "labels": names.job_labels(names.SWEEP_COMPONENT),
                "ownerReferences": [
                    {
                        "apiVersion": "batch/v1",
                        "kind": "Job",
                        "name": meta["name"],
                        "uid": meta["uid"],
                        "controller": True,
                    }
                ],
            },
            "immutable": True,
            "binaryData": {key: base64.b64encode(content).decode() for key, content in files.items()},
        }


def _order(sweep: Sweep, owner: Owner) -> Object:
    order = {
        "formatVersion": FORMAT_VERSION,
        "clusterID": sweep.cluster_id,
        "namespace": owner.namespace,
        "datastore": datastore_document(sweep.datastore),
        "lists": sum(key.startswith("list-") for key in _documents(sweep)),
        "records": len(sweep.records),
        "writtenSince": sweep.written_since,
        "writtenBefore": sweep.written_before,
        "dryRun": sweep.is_dry,
    }
    if sweep.condemned_before is not None:
        order["condemnedBefore"] = sweep.condemned_before
    return order | ({"requested": sweep.requested} if sweep.requested is not None else {})


def _documents(sweep: Sweep) -> dict[str, Object]:
    """All files of the pod by name."""
    lists = list(_lists(sweep)) or [{}]
    lists[0] |= {"datasets": ",".join(sweep.datasets), "inPlace": list(sweep.in_place)}
    named = {f"list-{number}": one for number, one in enumerate(lists)}
    named |= {f"record-{number}": dict(one) for number, one in enumerate(sweep.records)}
    return {name: {"formatVersion": FORMAT_VERSION} | document for name, document in named.items()}


def _lists(sweep: Sweep) -> Iterator[Object]:
    marks = {"runs": sweep.runs, "kept": sweep.kept}
    marks |= {"inventories": sweep.inventories, "sources": sweep.sources}
    if sum(map(len, marks.values())) <= _WORDS:
        yield {key: ",".join(words) for key, words in marks.items()}
        return
    for key, words in ((key, iter(words)) for key, words in marks.items()):
        while some := list(islice(words, _WORDS)):
            yield {key: ",".join(some)}


def _packed(sweep: Sweep) -> list[dict[str, bytes]]:
    """The files, gzipped, as many together as a ConfigMap takes."""
    maps: list[dict[str, bytes]] = [{}]
    for name, document in _documents(sweep).items():
        content = gzip.compress(canonical(document), mtime=0)
        if maps[-1] and sum(map(len, maps[-1].values())) + len(content) > _LIMIT_BYTES:
            maps.append({})
        maps[-1][name] = content
    return maps


def _with_lists(job: Object, maps: list[str]) -> Object:
    pod = job["spec"]["template"]["spec"]
    sources = [{"configMap": {"name": name}} for name in maps]
    pod["volumes"].append({"name": _VOLUME, "projected": {"sources": sources}})
    mount = {"name": _VOLUME, "mountPath": FOLDER, "readOnly": True}
    pod["containers"][0]["volumeMounts"].append(mount)
    return job
