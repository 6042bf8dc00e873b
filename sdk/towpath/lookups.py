"""What exists in a workspace, by the name that its user gave it: both `training_data` and `training-data` find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from towpath.backend import Backend, Kind, Manifest
from towpath.errors import NotFoundError, UnknownNameError, UserErrorException
from towpath.flow import names
from towpath.spelling import near

Found = TypeVar("Found")


def given_name(manifest: Manifest) -> str:
    """Return the name that the user gave an object."""
    metadata = manifest["metadata"]
    return str((metadata.get("annotations") or {}).get(names.GIVEN_NAME_ANNOTATION) or metadata["name"])


def find(backend: Backend, kind: Kind, name: str) -> Manifest:
    """Return an object by either form of its name; NotFoundError lists what exists."""
    object_name = names.object_name(name)
    found = backend.get(kind, object_name) if names.is_object_name(object_name) else None
    if found is None:
        existing = [given_name(one) for one in backend.list_objects(kind)]
        raise NotFoundError(f"There is no {kind} {name} in {backend.where}. {near(name, existing)}")
    other = given_name(found)
    if other not in (name, object_name) and name != object_name:
        raise UserErrorException(
            f"The names {other} and {name} both mean the {kind} {object_name}. Use {other}."
        )
    return found


class ByName(Mapping[str, Found], Generic[Found]):
    """Objects of one kind by their names, looked up when they are asked for."""

    def __init__(self, backend: Backend, kind: Kind, make: Callable[[Manifest], Found]) -> None:
        """Show a kind; `make` turns an object into what users get."""
        self._backend, self._kind, self._make = backend, kind, make

    def __getitem__(self, name: str) -> Found:
        """Return one of them; the KeyError lists what exists."""
        try:
            return self._make(find(self._backend, self._kind, name))
        except NotFoundError as error:
            raise UnknownNameError(str(error)) from error

    def __contains__(self, name: object) -> bool:
        """Whether there is one of that name, in either form."""
        return isinstance(name, str) and self._backend.get(self._kind, names.object_name(name)) is not None

    def __iter__(self) -> Iterator[str]:
        """Yield the names as they were given."""
        return (given_name(one) for one in self._backend.list_objects(self._kind))

    def __len__(self) -> int:
        """Count them."""
        return len(self._backend.list_objects(self._kind))

    def __repr__(self) -> str:
        """Show the names."""
        return f"{{{', '.join(self)}}}"
