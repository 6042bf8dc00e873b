"""The words for kinds on the command line, and the objects that they name: kubectl's words work here too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import click

from towpath.backend import Backend, Kind, Manifest
from towpath.errors import NotFoundError, UserErrorException
from towpath.flow import names
from towpath.flow.near_names import near


@dataclass(frozen=True)
class Noun:
    """One kind: its words, and its plural at the API server."""

    kind: Kind
    word: str
    plural: str
    short: str

    @property
    def full(self) -> str:
        """The plural with its group: other systems have kinds of the same names."""
        return f"{self.plural}.{names.GROUP}"

    @property
    def words(self) -> tuple[str, ...]:
        """All that it may be called."""
        kind = self.kind.lower()
        return self.word, f"{self.word}s", kind, self.plural, self.full, f"{kind}.{names.GROUP}", self.short


NOUNS = (
    Noun(Kind.PIPELINE_RUN, "run", "pipelineruns", "tprun"),
    Noun(Kind.DATASET, "dataset", "datasets", "tpset"),
    Noun(Kind.DATASET_VERSION, "version", "datasetversions", "tpver"),
    Noun(Kind.PIPELINE, "pipeline", "pipelines", "tppipe"),
    Noun(Kind.DATASTORE, "datastore", "datastores", "tpstore"),
)
RUN, DATASET, VERSION, PIPELINE, DATASTORE = NOUNS
_BY_WORD = {word: noun for noun in NOUNS for word in noun.words}


def noun_of(word: str) -> Noun:
    """The noun that a word stands for; UserErrorException names near ones."""
    found = _BY_WORD.get(word.lower())
    if found is None:
        plain = [f"{noun.word}s" for noun in NOUNS]
        raise UserErrorException(f"{word!r} is no kind of object. {near(word, plain)}")
    return found


class NounType(click.ParamType[Noun]):
    """A kind on the command line, with completion."""

    name = "kind"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Noun:
        """The noun, or a usage error."""
        if isinstance(value, Noun):
            return value
        try:
            return noun_of(str(value))
        except UserErrorException as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[click.shell_completion.CompletionItem]:
        """The plural words."""
        words = [f"{noun.word}s" for noun in NOUNS]
        return [click.shell_completion.CompletionItem(word) for word in words if word.startswith(incomplete)]


def find(backend: Backend, noun: Noun, given: str) -> Manifest:
    """The object of this name, as it was given or as Kubernetes has it; NotFoundError names near ones."""
    name = plain_name(noun, given)
    found = backend.get(noun.kind, name)
    if found is None:
        known = [_name(one) for one in backend.list_objects(noun.kind)]
        raise NotFoundError(
            f"There is no {noun.word} {given} in {backend.where}. {near(name, known)} "
            f"`towpath get {noun.word}s` lists them."
        )
    return found


def plain_name(noun: Noun, given: str) -> str:
    """The object's name: `-o name` prints `runs/NAME`, a version is `DATASET@NUMBER`, a user may write `_`."""
    word, slash, rest = given.partition("/")
    name = rest if slash and _BY_WORD.get(word.lower()) is noun else given
    if noun is VERSION:
        dataset, at, number = name.partition("@")
        if at and number.isdecimal():
            name = names.version_name(names.object_name(dataset), int(number))
    return names.object_name(name)


def named(backend: Backend, noun: Noun, given: Iterable[str]) -> list[Manifest]:
    """The objects of these names, or all."""
    wanted = list(given)
    return [find(backend, noun, name) for name in wanted] if wanted else backend.list_objects(noun.kind)


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])
