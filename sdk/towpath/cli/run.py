"""`towpath run`: start a run and wait for its end, on a cluster or on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from towpath.backend import Backend, Kind, Manifest
from towpath.cli.live import transfers_shown
from towpath.cli.nouns import PIPELINE, RUN, find
from towpath.cli.output import Format, output_option, say, write_data
from towpath.cli.params import params_option
from towpath.cli.session import Session, in_workspace
from towpath.cli.wanted import Wanted, check_params, wanted_run
from towpath.errors import UserErrorException
from towpath.flow import names
from towpath.local.backend import LocalBackend
from towpath.local.running import Wanted as WantedHere
from towpath.local.running import follow_run, start_run
from towpath.manifests import read_manifests
from towpath.pinned_images import pinned
from towpath.run_progress import has_ended, new_lines
from towpath.run_wait import Wait, failure_of, wait_for

# What others name is there before them.
_ORDER = (Kind.SECRET, Kind.CONFIG_MAP, Kind.POD_TEMPLATE, Kind.DATASTORE, Kind.DATASET, Kind.PIPELINE)


@click.command(short_help="Start a run, and wait for its end.")
@in_workspace
@click.argument("pipeline", metavar="FILE|NAME")
@params_option
@click.option("--reuse/--no-reuse", default=True, show_default=True, help="Take equal earlier work.")
@click.option("--detach", is_flag=True, help="Start it, and do not wait.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long to wait; the run goes on after that.",
)
@click.option(
    "--datastore",
    "folders",
    multiple=True,
    metavar="NAME=FOLDER",
    help="With --local: a folder that stands for a datastore.",
)
@click.option(
    "--engine", metavar="NAME", help="With --local: run steps in their images, by docker or podman."
)
@click.option("-q", "--quiet", is_flag=True, help="Do not tell what happens.")
@output_option(Format.JSON, Format.YAML, Format.NAME)
def run(  # noqa: PLR0913 - each is an option
    session: Session,
    *,
    pipeline: str,
    params: dict[str, str],
    reuse: bool,
    detach: bool,
    timeout: float | None,
    folders: tuple[str, ...],
    engine: str | None,
    quiet: bool,
    output: Format | None,
) -> None:
    """Run a FILE of manifests, which are applied first, or the pipeline NAME.

    Prints the run's name. Ends with 0 when it succeeded, 1 when it failed, 2 where it cannot be, 3 when the time to
    wait was over. Ctrl-C ends the waiting and not the run; with --local it ends the run, which lives in this process.
    """
    is_local = session.where.folder is not None
    wrong = _wrong_options(is_local, detach or timeout is not None, bool(folders or engine))
    if wrong:
        raise UserErrorException(wrong)
    if is_local:
        ended = _run_here(session.backend, pipeline, _here(pipeline, params, folders, reuse, engine), quiet)
    else:
        ended = _run_there(
            session.backend,
            _reusing(check_params(wanted_run(session.backend, pipeline, params), session.backend), reuse),
        )
        _show_name(ended, output)
        if detach:
            write_data(ended, output) if output in (Format.JSON, Format.YAML) else None
            return
        with transfers_shown(session.backend, None if quiet else ended):
            ended = wait_for(session.backend, ended["metadata"]["name"], has_ended, Wait(timeout, not quiet))
    if output in (Format.JSON, Format.YAML):
        write_data(ended, output)
    if ended["status"].get("state") != "Succeeded":
        raise failure_of(session.backend, ended)


def _wrong_options(is_local: bool, of_cluster: bool, of_local: bool) -> str:
    if is_local and of_cluster:
        return "--detach and --timeout are not for --local: that run lives in this process, and ends with it."
    return "--datastore and --engine are for --local only." if of_local and not is_local else ""


def _run_there(backend: Backend, wanted: Wanted) -> Manifest:
    for kind in _ORDER:
        for manifest in wanted.manifests:
            if manifest["kind"] == kind:
                backend.apply(_pinned(manifest, "spec") if kind is Kind.PIPELINE else manifest)
    return backend.create(_pinned(wanted.run, "spec", "pipelineSpec"))


def _pinned(manifest: Manifest, *path: str) -> Manifest:
    """A manifest whose PipelineSpec there, if it has one, names its images by their digests."""
    first, *rest = path
    if first not in manifest:
        return manifest
    return {**manifest, first: _pinned(manifest[first], *rest) if rest else pinned(manifest[first], say)}


def _reusing(wanted: Wanted, reuse: bool) -> Wanted:
    if reuse:
        return wanted
    return Wanted({**wanted.run, "spec": {**wanted.run["spec"], "reuse": False}}, wanted.manifests)


def _here(
    given: str, params: Mapping[str, str], folders: Sequence[str], reuse: bool, engine: str | None
) -> WantedHere:
    path = Path(given)
    is_file = path.suffix in (".yaml", ".yml", ".json") or path.is_file() or "/" in given
    return WantedHere(
        manifests=tuple(read_manifests(path)) if is_file else (),
        pipeline=None if is_file else names.object_name(given),
        params=params,
        folders=dict(map(_pair, folders)),
        reuse=reuse,
        engine=engine,
    )


def _pair(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise UserErrorException(f"{text!r}: write --datastore NAME=FOLDER.")
    return names.object_name(name), Path(folder)


def _run_here(backend: Backend, given: str, wanted: WantedHere, quiet: bool) -> Manifest:
    if not isinstance(backend, LocalBackend):
        raise UserErrorException(f"{backend.where} is no workspace of this machine.")
    if wanted.pipeline:
        find(backend, PIPELINE, given)
    started = start_run(backend, wanted)
    for note in started.notes:
        say(f"Not as on a cluster: {note}")
    _show_name(started.run, None)
    before: dict[str, Any] = {}

    def seen(found: Manifest) -> None:
        status = found.get("status") or {}
        for line in () if quiet else new_lines(before, status):
            say(f"{found['metadata']['name']}: {line}")
        before.clear()
        before.update(status)

    with transfers_shown(backend, None if quiet else started.run):
        return follow_run(backend, started.run, seen)


def _show_name(made: Manifest, output: Format | None) -> None:
    name = made["metadata"]["name"]
    if output not in (Format.JSON, Format.YAML):
        click.echo(f"{RUN.full}/{name}" if output is Format.NAME else name)
