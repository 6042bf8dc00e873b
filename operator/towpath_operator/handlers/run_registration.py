"""Accepted outputs → versions: the Dataset first, its `lastVersion` raised and awaited, then the version itself."""

from __future__ import annotations

from towpath.flow import registration as rules
from towpath.flow.decision import Registration
from towpath.flow.observed import ObservedVersion
from towpath.flow.planned import Plan
from towpath_operator.cluster.apply import create_dataset, create_version
from towpath_operator.cluster.resources import DATASETS, Key
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.known_versions import learn_versions


class LookAgainError(Exception):
    """Something changed under the pass: it is made again from what is there now."""


async def register(context: Context, plan: Plan, wanted: Registration) -> None:
    """Record one output as a version; what it came to is remembered for the next observation."""
    uid, port = plan.run.uid, (wanted.step, wanted.output)
    async with context.queue.alone(Key(DATASETS.kind, plan.run.namespace, wanted.register.dataset)):
        dataset = await _dataset(context, plan, wanted)
        refusal = rules.refusal(wanted, dataset["spec"])
        if refusal is not None:
            context.memory.refused_registrations.setdefault(uid, {})[port] = refusal
            return
        version = await _version(context, plan, wanted, dataset)
        context.memory.registered.setdefault(uid, {})[port] = version


async def _dataset(context: Context, plan: Plan, wanted: Registration) -> Json:
    there = context.cache.datasets.get(plan.run.namespace, wanted.register.dataset)
    if there is not None:
        return there
    manifest = rules.dataset_manifest(plan.run, wanted)
    return await create_dataset(context.client, context.cache.datasets, manifest)


async def _version(context: Context, plan: Plan, wanted: Registration, dataset: Json) -> ObservedVersion:
    name = wanted.register.dataset
    status = dataset.get("status") or {}
    last = int(status.get("lastVersion") or 0)
    produced_by = rules.produced_by(plan.run, wanted)
    digest = wanted.content.inventory.digest
    await learn_versions(context, plan.run.namespace, name, last)
    choice = rules.register(last, versions_of(context, plan.run.namespace, name), produced_by, digest)
    if isinstance(choice, rules.Existing):
        return choice.version
    raised = {**status, "lastVersion": choice.number}
    if await context.writer.write(context.cache.datasets, dataset, raised) is None:
        raise LookAgainError
    manifest = rules.version_manifest(plan.run, wanted, choice.number)
    return observed_version(await create_version(context.client, context.cache.versions, manifest))


def versions_of(context: Context, namespace: str, dataset: str) -> list[ObservedVersion]:
    """The versions of a dataset that exist."""
    there = context.cache.versions.all(namespace)
    return [observed_version(item) for item in there if item["spec"]["dataset"] == dataset]


def observed_version(item: Json) -> ObservedVersion:
    """A DatasetVersion as registration needs it."""
    spec = item["spec"]
    return ObservedVersion(
        name=item["metadata"]["name"],
        dataset=spec["dataset"],
        version=spec["version"],
        digest=spec["inventory"]["digest"],
        produced_by=spec.get("producedBy"),
    )
