"""The lists of a sweep: however many attempts are kept, all are told, in ConfigMaps that the API server takes."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

from jobs.planned_steps import MOVER_IMAGE, make_owner
from jobs.rendered_examples import SWEEP
from towpath.flow import names, store_keys
from towpath.flow.mover_orders import Sweep
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.sweep import config_maps, render

Json = dict[str, Any]
OWNER = make_owner("Datastore", "default")


def a_job(sweep: Sweep) -> Json:
    job = render(sweep, OWNER, "0a1b2c3d-4e5f6071-8293a4b5", MOVER_IMAGE, PodSettings())
    return job | {"metadata": job["metadata"] | {"uid": "uid-of-the-job"}}


def told(maps: list[Json]) -> dict[str, Json]:
    files = {name: content for one in maps for name, content in one["binaryData"].items()}
    return {name: json.loads(gzip.decompress(base64.b64decode(content))) for name, content in files.items()}


def test_two_hundred_thousand_attempts_are_told_in_config_maps_that_fit() -> None:
    marks = tuple(store_keys.prefix_mark(f"team-a/runs/r{number}/") for number in range(200_000))
    sweep = replace(SWEEP, kept=marks[:150_000], runs=marks[150_000:])
    job = a_job(sweep)

    maps = list(config_maps(sweep, job))

    files = told(maps)
    order = json.loads(job["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"])
    lists = [files.pop(f"list-{number}") for number in range(order["lists"])]
    assert tuple(word for one in lists if "kept" in one for word in one["kept"].split(",")) == sweep.kept
    assert tuple(word for one in lists if "runs" in one for word in one["runs"].split(",")) == sweep.runs
    assert set(files) == {"record-0"}
    for one in maps:
        assert sum(len(base64.b64decode(content)) for content in one["binaryData"].values()) < 1 << 20


def test_the_pod_waits_for_just_the_lists_of_its_own_order() -> None:
    job, another = a_job(SWEEP), a_job(replace(SWEEP, kept=()))

    [volume] = [one for one in job["spec"]["template"]["spec"]["volumes"] if "projected" in one]
    named = [source["configMap"]["name"] for source in volume["projected"]["sources"]]

    assert named == [one["metadata"]["name"] for one in config_maps(SWEEP, job)]
    assert all(
        one["metadata"]["ownerReferences"][0]["uid"] == "uid-of-the-job" for one in config_maps(SWEEP, job)
    )
    # Two orders under one name never mix: an operator that was killed may have left half of one.
    assert job["metadata"]["name"] == another["metadata"]["name"]
    assert (
        job["metadata"]["annotations"][names.ORDER_ANNOTATION]
        != another["metadata"]["annotations"]["towpath.dev/order"]
    )
    assert not {one["metadata"]["name"] for one in config_maps(replace(SWEEP, kept=()), another)} & set(named)


def test_the_job_says_whose_records_it_writes() -> None:
    assert a_job(SWEEP)["metadata"]["annotations"][names.RECORDS_ANNOTATION] == "done/0a1b2c3d-4e5f"
