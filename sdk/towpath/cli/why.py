"""`towpath why`: why a step stands where it stands, and which component of its work made it run again."""

from __future__ import annotations

import click

from towpath.backend import Backend, Manifest
from towpath.cli.explain import explain
from towpath.cli.nouns import RUN, find, plain_name
from towpath.cli.output import Format, console, output_option, write_data
from towpath.cli.run_view import RunView, StepView, view_of
from towpath.cli.session import Session, in_workspace
from towpath.cli.why_text import why_document, why_lines
from towpath.errors import NotFoundError
from towpath.flow.near_names import near


@click.command(short_help="Say why a step ran again, waits, failed or was skipped.")
@in_workspace
@click.argument("run", metavar="RUN[/STEP]")
@click.argument("step", required=False)
@output_option(Format.JSON, Format.YAML)
def why(session: Session, run: str, step: str | None, output: Format | None) -> None:
    """Say of a RUN, or of one STEP of it, why it stands where it stands.

    Of a step that ran although an earlier run might have served: what differs from that one, with both values. Of one
    that waits, failed or was skipped: the reason, what it means, and what to do.
    """
    backend = session.backend
    name, _, given = plain_name(RUN, run).partition("/")
    view = _view(backend, find(backend, RUN, name))
    found = [explain(view, one, _compared(backend, one)) for one in _chosen(view, step or given or None)]
    if output:
        write_data(why_document(view, found), output)
        return
    screen = console()
    for line in why_lines(view, found):
        screen.print(line)


def _view(backend: Backend, run: Manifest) -> RunView:
    return view_of(run, backend.plan_of(run))


def _chosen(view: RunView, step: str | None) -> list[StepView]:
    if step is None:
        return list(view.steps)
    found = view.step(step)
    if found is None:
        known = [one.name for one in view.steps]
        raise NotFoundError(f"Run {view.name} has no step {step}. {near(step, known)}")
    return [found]


def _compared(backend: Backend, step: StepView) -> RunView | None:
    """The run that a miss names, if it is still there."""
    name = (step.status.get("reuseMiss") or {}).get("run")
    run = backend.get(RUN.kind, str(name)) if name else None
    return _view(backend, run) if run else None
