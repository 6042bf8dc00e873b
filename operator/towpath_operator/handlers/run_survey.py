"""The movers that a run needs before it is planned: started when asked for, stopped when the run will never be."""

from __future__ import annotations

from towpath.flow.sources import Waiting
from towpath_operator.cluster import apply
from towpath_operator.cluster.resources import PIPELINE_RUNS
from towpath_operator.handlers.admission import ask_about, create_mover
from towpath_operator.handlers.context import Context, Json
from towpath_operator.handlers.look import warnings_of_looks
from towpath_operator.handlers.run_sources import SURVEYS, surveyors
from towpath_operator.jobs import survey as survey_jobs
from towpath_operator.jobs.job import Owner


async def survey(context: Context, run: Json, waiting: Waiting) -> float:
    """Start the movers that a run waits for. Seconds after which to look again."""
    meta, wait = run["metadata"], waiting.check_after_seconds
    owner = Owner("PipelineRun", meta["name"], meta["uid"], meta["namespace"])
    waits = [wait, await ask_about(context, PIPELINE_RUNS.key(run), waiting.ask_admission)]
    for wanted in waiting.surveys:
        job = survey_jobs.render(wanted, owner, context.installation.mover_image, context.pods)
        waits.append(await create_mover(context, job))
    waits += [await warnings_of_looks(context, run, component) for component in SURVEYS]
    return min(one for one in waits if one is not None)


async def stop_surveys(context: Context, run: Json) -> None:
    """End the movers of a run that will never be planned."""
    for mover in surveyors(context, run):
        if not mover.has_ended and not mover.deleting:
            await apply.delete_job(context.client, run["metadata"]["namespace"], mover.job)
