"""Archives as sources: how one is packed, and which of its entries are the files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from towpath.errors import DefinitionError
from towpath.spelling import near


class ArchiveType(str, Enum):  # noqa: UP042 - Python 3.9 and 3.10 of a step have no StrEnum
    """How an archive is packed; Azure ML knew ZIP only."""

    ZIP = "Zip"
    TAR = "Tar"
    TAR_GZ = "TarGz"
    TAR_ZST = "TarZst"
    TAR_BZ2 = "TarBz2"
    TAR_XZ = "TarXz"


@dataclass(frozen=True)
class ArchiveOptions:
    """What an archive is, and which entries to take, such as `**/*.jpg`; all where `entry_glob` is omitted."""

    archive_type: ArchiveType | str
    entry_glob: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no kind of archive."""
        kinds = [kind.value for kind in ArchiveType]
        if self.archive_type not in kinds:
            raise DefinitionError(
                f"archive_type is an ArchiveType, not {self.archive_type!r}. {near(str(self.archive_type), kinds)}"
            )

    def as_field(self) -> dict[str, Any]:
        """Return the `archive` of a source."""
        field = {"type": ArchiveType(self.archive_type).value}
        return field if self.entry_glob is None else {**field, "entryGlob": self.entry_glob}
