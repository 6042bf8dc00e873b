"""`towpath add`: a dataset from files, a place or a URL, and a datastore, each looked at before the verb ends."""

from __future__ import annotations

import os

import click

from towpath.backend import Backend, Kind, Manifest
from towpath.cli.columns import why_not_ready
from towpath.cli.new_dataset import dataset_from
from towpath.cli.new_datastore import datastore_from, keys_from
from towpath.cli.nouns import DATASET, DATASTORE, Noun
from towpath.cli.output import Format, output_option, say, write_data
from towpath.cli.session import Session, in_workspace
from towpath.copying import copy
from towpath.errors import TowpathError, UserErrorException, WaitTimeoutError
from towpath.flow import names
from towpath.flow.ready_reasons import DatasetReason
from towpath.meter import shown
from towpath.places import DatasetPlace, DatastorePlace, LocalPlace, parse_place

_timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait until it is looked at.",
)


@click.group(short_help="Add a dataset or a datastore.")
def add() -> None:
    """Add a dataset or a datastore to a namespace."""


@add.command(short_help="A dataset from a folder or file, DATASTORE:/path or a URL.")
@in_workspace
@click.argument("name")
@click.argument("source", metavar="FROM")
@click.option("--tabular", is_flag=True, help="Its rows are what is sampled and split, and not its files.")
@click.option("--description", metavar="TEXT", help="What it is, for people.")
@click.option("--direct", is_flag=True, help="Upload with this machine's own credentials.")
@_timeout
@output_option(Format.JSON, Format.YAML, Format.NAME)
def dataset(  # noqa: PLR0913 - each is an option
    session: Session,
    *,
    name: str,
    source: str,
    tabular: bool,
    description: str | None,
    direct: bool,
    timeout: float,
    output: Format | None,
) -> None:
    """Make the dataset NAME, or give it another version, and show that.

    FROM is a file or folder of this machine (uploaded to the default datastore, once for equal content),
    DATASTORE:/path (left where it is), or a URL (copied once into the default datastore).
    """
    backend = session.backend
    fields = ({"type": "Tabular"} if tabular else {}) | ({"description": description} if description else {})
    if "://" in source:
        found = backend.apply(dataset_from(backend, name, {"url": source}, fields))
    else:
        place = parse_place(source)
        if isinstance(place, LocalPlace):
            copied = copy(backend, place, DatasetPlace(names.object_name(name)), direct=direct, show=shown())
            say(f"{copied.files} files uploaded, {copied.same} were there already.")
            found = backend.get(Kind.DATASET, names.object_name(name)) or {}
            if fields:
                found = backend.apply(dataset_from(backend, name, found["spec"]["sources"][0], fields))
        else:
            found = backend.apply(dataset_from(backend, name, _in_place(source), fields))
    ready = _looked_at(backend, DATASET, found, timeout)
    _write(ready, f"{ready['metadata']['name']}@{ready['status'].get('latestVersion')}", output)


@add.command(short_help="A datastore: s3://…, az://…, gs://… or claim://…")
@in_workspace
@click.argument("name")
@click.argument("url", metavar="URL")
@click.option("--endpoint", metavar="URL", help="The server, where it is not the cloud's own.")
@click.option("--region", metavar="REGION", help="Of an S3 bucket.")
@click.option("--secret", metavar="NAME", help="The Secret of the namespace with its credentials.")
@click.option("--keys-from-env", is_flag=True, help="Make that Secret, from this machine's variables.")
@click.option("--read-only", is_flag=True, help="Nothing is ever written there.")
@_timeout
@output_option(Format.JSON, Format.YAML, Format.NAME)
def datastore(  # noqa: PLR0913 - each is an option
    session: Session,
    *,
    name: str,
    url: str,
    endpoint: str | None,
    region: str | None,
    secret: str | None,
    keys_from_env: bool,
    read_only: bool,
    timeout: float,
    output: Format | None,
) -> None:
    """Make the datastore NAME (`default` is used where none is named), and say whether it can be entered.

    URL is s3://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX, gs://BUCKET/PREFIX or claim://CLAIM/FOLDER. With
    --keys-from-env the Secret NAME-keys is made of what the store's own tools read here, such as AWS_ACCESS_KEY_ID;
    credentials are never shown, nor read again.
    """
    backend, given = session.backend, {"endpoint": endpoint, "region": region}
    if secret and keys_from_env:
        raise UserErrorException("Give --secret, or make one with --keys-from-env, not both.")
    made = datastore_from(name, url, {key: value for key, value in given.items() if value})
    if keys_from_env:
        secret = f"{made.name}-keys"
        backend.apply(keys_from(os.environ, made, secret))
    ready = _looked_at(backend, DATASTORE, backend.apply(made.manifest(secret, read_only)), timeout)
    _write(ready, f"{made.name} is Ready", output)


def _in_place(source: str) -> Manifest:
    place = parse_place(source)
    if not isinstance(place, DatastorePlace):
        raise UserErrorException(
            f"{source} is a dataset's or a run's already: copy it with `towpath cp` first."
        )
    return {
        "path": f"{place.path}/" if place.is_folder and place.path else place.path,
        "datastore": place.datastore,
    }


def _looked_at(backend: Backend, noun: Noun, applied: Manifest, timeout: float) -> Manifest:
    """The object once its condition speaks of it as it is now; an error with the reason if it is not Ready."""
    name, generation = applied["metadata"]["name"], applied["metadata"].get("generation", 0)
    for found in backend.watch(noun.kind, name, timeout):
        ready = _ready(found)
        is_current = (found.get("status") or {}).get("observedGeneration", 0) >= generation
        if is_current and ready.get("status") == "True":
            return found
        if is_current and ready.get("status") == "False" and not _may_pass(backend, found, ready):
            why = why_not_ready(found)
            raise TowpathError(f"{noun.word.capitalize()} {name} was made, and is not Ready: {why}")
    raise WaitTimeoutError(
        f"{noun.word.capitalize()} {name} was made, and not looked at within {timeout:g} s: `towpath doctor` says "
        "whether an operator is at work there."
    )


def _may_pass(backend: Backend, found: Manifest, ready: Manifest) -> bool:
    """Whether a dataset waits for a datastore that is only being looked at, as the first one of a namespace is."""
    if ready.get("reason") != DatasetReason.DATASTORE_NOT_READY:
        return False
    sources = found["spec"].get("sources") or ()
    used = {source.get("datastore") or names.DEFAULT_DATASTORE for source in sources}
    stores = (backend.get(Kind.DATASTORE, name) for name in used)
    return all(store is not None and _ready(store).get("status") != "False" for store in stores)


def _ready(found: Manifest) -> Manifest:
    conditions = (found.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == "Ready"), {})


def _write(found: Manifest, words: str, output: Format | None) -> None:
    if output in (Format.JSON, Format.YAML):
        write_data(found, output)
    else:
        click.echo(found["metadata"]["name"] if output is Format.NAME else words)
