"""What a dataset is made of: its type, the format of its rows, and the places its files come from."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from towpath.api.markers import LIST_ATOMIC, Rule, with_rules
from towpath.api.meta import Model, OneOf
from towpath.api.refs import ConfigMapRef
from towpath.api.scalars import Glob, ObjectName, StorePath, Url


class DatasetType(StrEnum):
    """What a dataset's records are: files, or rows of files."""

    FILE = "File"
    TABULAR = "Tabular"


class Hash(StrEnum):
    """How files that are registered in place are known."""

    REPORTED = "Reported"
    CONTENT = "Content"


class ArchiveType(StrEnum):
    """How an archive is packed."""

    ZIP = "Zip"
    TAR = "Tar"
    TAR_GZ = "TarGz"
    TAR_ZST = "TarZst"
    TAR_BZ2 = "TarBz2"
    TAR_XZ = "TarXz"


class Header(StrEnum):
    """Which files of a CSV dataset begin with a line of column names."""

    ALL_FILES_HAVE_SAME_HEADERS = "AllFilesHaveSameHeaders"
    ONLY_FIRST_FILE_HAS_HEADERS = "OnlyFirstFileHasHeaders"
    COMBINE_ALL_FILES_HEADERS = "CombineAllFilesHeaders"
    NO_HEADERS = "NoHeaders"


class Encoding(StrEnum):
    """How text is encoded."""

    UTF8 = "utf8"
    UTF8_BOM = "utf8bom"
    UTF16 = "utf16"
    UTF32 = "utf32"
    ASCII = "ascii"
    LATIN1 = "latin1"
    ISO88591 = "iso88591"
    WINDOWS1252 = "windows1252"


class Csv(Model):
    """Text files with separated values."""

    separator: Annotated[str, Field(min_length=1, max_length=1, pattern=r'^[^"\r\n]$')] = ","
    """The one character between two values; no quote and no end of a line."""
    header: Header = Header.ALL_FILES_HAVE_SAME_HEADERS
    """Which files begin with a line of column names."""
    encoding: Encoding = Encoding.UTF8
    """How the text is encoded."""


class Parquet(Model):
    """Parquet files; they describe themselves."""


class JsonLines(Model):
    """Text files with one JSON object per line."""


class Format(OneOf):
    """How the rows of a Tabular dataset are written; exactly one of these."""

    csv: Csv | None = None
    """Text files with separated values."""
    parquet: Parquet | None = None
    """Parquet files: write `parquet: {}`."""
    json_lines: JsonLines | None = None
    """One JSON object per line: write `jsonLines: {}`."""


class Archive(Model):
    """An archive whose entries are the files."""

    type: ArchiveType
    """How the archive is packed."""
    entry_glob: Glob | None = None
    """Which entries to take, such as `**/*.jpg`; all where omitted."""
    max_entries: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """How many entries it may have, taken or not; 1,000,000 where omitted. A bomb has more."""
    max_bytes: Annotated[int, Field(ge=1, le=9_007_199_254_740_991)] | None = None
    """How many bytes may come out of it; 1 TiB where omitted."""
    max_ratio: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """How many times its own size may come out of it; 200 where omitted. Not judged below 64 MiB."""


class Source(Model):
    """One place that a dataset's files come from."""

    model_config = with_rules(
        Rule(
            "has(self.path) != has(self.url)",
            "a source is exactly one of path (in a datastore) and url (copied once): give one of them",
        ),
        Rule("!has(self.url) || !has(self.datastore)", "datastore goes with path; remove it beside url"),
        Rule(
            "has(self.url) || !has(self.caConfigMapRef)",
            "caConfigMapRef goes with url; remove it beside path",
        ),
    )

    path: StorePath | None = None
    """File, folder (with all below it) or glob inside the datastore; `**` matches any depth, zero
    included."""
    url: Url | None = None
    """A file to copy once into the default datastore."""
    datastore: ObjectName | None = None
    """The Datastore in which `path` lies; `default` where omitted."""
    hash: Hash = Hash.REPORTED
    """How files are known: Reported (what the store says: etag, version) or Content (read once, sha256).
    Files from a url are always known by content."""
    archive: Archive | None = None
    """Says that the source is an archive, and which of its entries are the files."""
    partition_format: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """Takes columns out of paths, such as `/{dept}/{day:yyyy/MM/dd}/data.csv`."""
    ca_config_map_ref: ConfigMapRef | None = None
    """A ConfigMap whose key `ca.crt` holds the certificates to trust; with `url` only."""


FORMAT_FOLLOWS_TYPE = Rule(
    "(self.type == 'Tabular') == has(self.format)",
    "format goes with type Tabular: give csv, parquet or jsonLines there, and no format with type File",
)


class InlineDataset(Model):
    """An unregistered dataset, defined where it is used; its inventory is taken when the run starts."""

    model_config = with_rules(FORMAT_FOLLOWS_TYPE)

    type: DatasetType = DatasetType.FILE
    """File (records are files) or Tabular (records are rows)."""
    format: Format | None = None
    """How rows are written; with type Tabular only."""
    # CEL rules of a source are paid for at 1,000 steps with 32 inputs each: more than 12 break the budget.
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=12), LIST_ATOMIC]
    """Where the files come from. Paths may hold references such as `$(params.folder)`."""
