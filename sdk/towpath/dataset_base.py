"""What file and tabular datasets have in common: views, names, registration, tags.

Every method gives a new object; only `register`, `update` and the methods on tags write anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from towpath import view
from towpath.consumption import DatasetConsumptionConfig
from towpath.errors import UserErrorException
from towpath.inputs import InputPort, unnamed_input
from towpath.registered import RegisteredFacts
from towpath.spelling import checks_keywords

if TYPE_CHECKING:
    from towpath.workspace import Workspace

Self = TypeVar("Self", bound="AnyDataset")


class AnyDataset(view.View):
    """A dataset: records, and what is known of them where they are registered."""

    is_tabular = False
    facts: RegisteredFacts | None = None

    @property
    def name(self) -> str | None:
        """The name under which it is registered."""
        return self.facts.name if self.facts else None

    @property
    def version(self) -> int | None:
        """The number of the version that was the latest when it was looked up."""
        return self.facts.version if self.facts else None

    @property
    def id(self) -> str | None:
        """The digest of the version's content."""
        return self.facts.id if self.facts else None

    @property
    def description(self) -> str | None:
        """A sentence for people."""
        return self.facts.description if self.facts else None

    @property
    def tags(self) -> dict[str, str]:
        """Words for people and searches."""
        return dict(self.facts.tags) if self.facts else {}

    @property
    def data_changed_time(self) -> str | None:
        """When the version was made."""
        return self.facts.changed if self.facts else None

    @property
    def partition_keys(self) -> list[str]:
        """The columns that come out of paths."""
        return list(self.facts.partition_keys) if self.facts else []

    @checks_keywords
    def take_sample(self: Self, probability: float, seed: int | None = None) -> Self:
        """Return a random share of the records: 0.1 is about one of ten. The same seed gives the same ones."""
        return self._narrowed("sample", view.sample(probability, seed))

    @checks_keywords
    def random_split(self: Self, percentage: float, seed: int | None = None) -> tuple[Self, Self]:
        """Return two datasets that have no record in common and together have all; the first about that share."""
        first, second = view.halves(percentage, seed)
        return self._narrowed("split", first), self._narrowed("split", second)

    @checks_keywords
    def take(self: Self, count: int) -> Self:
        """Return the first records, in the order of paths (and of rows)."""
        return self._narrowed("take", view.count(count))

    @checks_keywords
    def skip(self: Self, count: int) -> Self:
        """Return all but the first records, in the order of paths (and of rows)."""
        return self._narrowed("skip", view.count(count))

    @checks_keywords
    def as_named_input(self, name: str, *, allow_empty: bool = False) -> DatasetConsumptionConfig:
        """Return it as an input of a step; the step gets a path, downloaded unless it says otherwise."""
        return DatasetConsumptionConfig(name, self, allow_empty=allow_empty)

    def input_port(self) -> InputPort:
        """Return the input that the dataset is by itself, named after it."""
        return unnamed_input(self, self.name)

    @checks_keywords
    def register(
        self: Self,
        workspace: Workspace,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        create_new_version: bool = False,
    ) -> Self:
        """Register its sources under a name, and return the dataset with its first version.

        A name that has other sources already is an error, unless `create_new_version`: then its sources become
        these, and what is another content becomes the next version.
        """
        # Only here: a step has no backend.
        from towpath.registering import register  # noqa: PLC0415

        about = {"description": description, "tags": tags}
        return self.with_facts(register(self, workspace, name, about, create_new_version))

    @checks_keywords
    def update(self, description: str | None = None, tags: dict[str, str] | None = None) -> None:
        """Set description and tags of this version."""
        from towpath.registering import edit  # noqa: PLC0415

        self.facts = edit(self._registered(), description, tags)

    @checks_keywords
    def add_tags(self, tags: dict[str, str]) -> None:
        """Add tags to this version; another value for a tag that it has is an error."""
        other = {key: self.tags[key] for key in tags if self.tags.get(key, tags[key]) != tags[key]}
        if other:
            raise UserErrorException(
                f"The dataset {self.name} has other values: {other}. Use update(tags=…)."
            )
        self.update(tags={**self.tags, **tags})

    @checks_keywords
    def remove_tags(self, tags: list[str]) -> None:
        """Remove tags of this version."""
        self.update(tags={key: value for key, value in self.tags.items() if key not in tags})

    def unregister_all_versions(self) -> None:
        """Delete the Dataset and the records of its versions. The data stay, unless its deletionPolicy is Delete."""
        from towpath.registering import unregister  # noqa: PLC0415

        unregister(self._registered())

    def with_facts(self: Self, facts: RegisteredFacts) -> Self:
        """Return the registered dataset that the facts tell of."""
        origin = view.Registered(facts.name, self.pinned_version(facts))
        dataset: Self = type(self)(origin)
        dataset.facts = facts
        return dataset

    def pinned_version(self, facts: RegisteredFacts) -> int | None:  # noqa: ARG002 - lookups by number pin
        """Return the version that pipelines take: none is the latest when a run starts."""
        return None

    def _narrowed(self: Self, kind: str, fields: view.Fields) -> Self:
        narrowed: Self = self.with_transform(kind, fields)
        narrowed.facts = self.facts
        return narrowed

    def _registered(self) -> RegisteredFacts:
        if self.facts is None:
            raise UserErrorException("The dataset is not registered: call register(workspace, 'name') first.")
        return self.facts

    def __repr__(self) -> str:
        """Show where the records come from."""
        return (
            f"{type(self).__name__}({self.origin!r}{f', {list(self.transforms)}' if self.transforms else ''})"
        )


def mount_or_download(dataset: Any, mode: str, path: str | None) -> DatasetConsumptionConfig:
    """Return a dataset as an input that is named after it."""
    port = dataset.input_port()
    return DatasetConsumptionConfig(port.name, dataset, mode, path)
