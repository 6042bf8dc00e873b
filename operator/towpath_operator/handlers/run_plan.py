"""A run's plan: written once, read back after a restart, believed only if its digest is the recorded one."""

from __future__ import annotations

from typing import Any

from towpath.flow import documents, names
from towpath.flow.conditions import RunReason
from towpath.flow.documents import UnreadablePlanError
from towpath.flow.planned import Plan
from towpath.flow.restore import restore
from towpath.flow.sources import Refused
from towpath_operator.cluster.apply import NameTakenError, create_plan
from towpath_operator.cluster.config_maps import contents, read_config_map
from towpath_operator.handlers.context import Context
from towpath_operator.jobs import plan as plan_object

Json = dict[str, Any]


class PlanLostError(Exception):
    """The plan is missing, damaged, or not the recorded one."""


async def write_plan(context: Context, made: Plan) -> tuple[Plan, str] | Refused:
    """Create the plan's ConfigMap; where one is there already, that one is the plan. Its digest comes with it."""
    written = documents.write(made)
    too_large = documents.why_too_large(documents.pack(written))
    if too_large is not None:
        return Refused(RunReason.TOO_LARGE, too_large)
    try:
        stored = await create_plan(context.client, plan_object.render(made.run, written))
        there = documents.unpack(contents(stored))
        plan, digest = restore(there), documents.plan_digest(there)
    except (UnreadablePlanError, NameTakenError) as error:
        name = names.plan_name(made.run.name, made.run.uid)
        words = f"ConfigMap {name} is there already and is not this run's plan: {error}"
        return Refused(RunReason.PLAN_LOST, words)
    context.memory.plans[made.run.uid] = plan
    return plan, digest


async def read_plan(context: Context, run: Json) -> Plan:
    """The plan of a run whose status holds its digest."""
    uid = run["metadata"]["uid"]
    if uid not in context.memory.plans:
        context.memory.plans[uid] = await load_plan(context, run)
    return context.memory.plans[uid]


async def load_plan(context: Context, run: Json) -> Plan:
    """The same, from its ConfigMap; nothing is remembered of it."""
    meta = run["metadata"]
    name = names.plan_name(meta["name"], meta["uid"])
    data = await read_config_map(context.client, meta["namespace"], name)
    if data is None:
        raise PlanLostError(f"ConfigMap {name}, which holds the plan, is gone.")
    try:
        return _believed(data, name, run["status"]["planDigest"])
    except UnreadablePlanError as error:
        raise PlanLostError(f"ConfigMap {name} cannot be read as a plan: {error}") from error


def _believed(data: dict[str, bytes], name: str, recorded: str) -> Plan:
    written = documents.unpack(data)
    digest = documents.plan_digest(written)
    if digest != recorded:
        raise PlanLostError(f"ConfigMap {name} holds the plan {digest}, and the recorded one is {recorded}.")
    return restore(written)
