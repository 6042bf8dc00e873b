"""What a Dataset and a DatasetVersion may say: each rule with a good and a bad object."""

from __future__ import annotations

from api.judge import Case, Change
from builders import DIGEST, Object, make_dataset, make_inventory_ref, make_version

CSV = {"csv": {"separator": ";"}}
URL = "https://example.org/cats-and-dogs.zip"


def of_source(**source: object) -> Object:
    """A Dataset with one source."""
    return make_dataset(sources=[source])


def named(name: str, body: Object) -> Object:
    """The same object under another name."""
    return body | {"metadata": body["metadata"] | {"name": name}}


RULES = [
    Case(
        "a Dataset's name leaves room for versions",
        make_dataset("a" * 200),
        make_dataset("a" * 201),
        "the name of a Dataset has at most 200 characters",
    ),
    Case(
        "a Tabular dataset has a format",
        make_dataset(type="Tabular", format=CSV),
        make_dataset(type="Tabular"),
        "format goes with type Tabular",
    ),
    Case(
        "a File dataset has no format",
        make_dataset(),
        make_dataset(format=CSV),
        "format goes with type Tabular",
    ),
    Case(
        "a format is one thing",
        make_dataset(type="Tabular", format={"parquet": {}}),
        make_dataset(type="Tabular", format={"parquet": {}, "jsonLines": {}}),
        "spec.format: Too many: 2: must have at most 1 item",
    ),
    Case(
        "a source is a path or a URL",
        of_source(path="iris.csv"),
        of_source(path="iris.csv", url=URL),
        "a source is exactly one of path (in a datastore) and url (copied once)",
    ),
    Case(
        "a source is something",
        of_source(url=URL),
        of_source(hash="Content"),
        "a source is exactly one of path",
    ),
    Case(
        "a URL lies in no datastore",
        of_source(path="iris.csv", datastore="raw"),
        of_source(url=URL, datastore="raw"),
        "datastore goes with path; remove it beside url",
    ),
    Case(
        "a CA goes with a URL",
        of_source(url=URL, caConfigMapRef={"name": "ca"}),
        of_source(path="iris.csv", caConfigMapRef={"name": "ca"}),
        "caConfigMapRef goes with url; remove it beside path",
    ),
    Case(
        "a path does not leave its datastore",
        of_source(path="raw/**/*.csv"),
        of_source(path="raw/../../secret"),
        "spec.sources[0].path in body should match",
    ),
    Case(
        "a URL carries no credentials",
        of_source(url=URL),
        of_source(url="https://me:secret@example.org/a.zip"),
        "spec.sources[0].url in body should match",
    ),
    Case(
        "a refresh says when",
        make_dataset(refresh={"intervalSeconds": 3600}),
        make_dataset(refresh={}),
        "refresh without intervalSeconds or beforeRun: true does nothing",
    ),
    Case(
        "a refresh has something to look at",
        make_dataset(refresh={"beforeRun": True}),
        make_dataset(sources=[], refresh={"beforeRun": True}),
        "refresh looks again at sources, and there are none",
    ),
    Case(
        "a version's name is its dataset and number",
        make_version("iris", 3),
        named("iris-v4", make_version("iris", 3)),
        "the name of a DatasetVersion is <dataset>-v<version>, such as iris-v3",
    ),
    Case(
        "a version's name has its dataset's",
        make_version("iris", 3),
        named("roses-v3", make_version("iris", 3)),
        "the name of a DatasetVersion is <dataset>-v<version>, such as iris-v3",
    ),
    Case(
        "a version's name ends with a number",
        make_version("iris", 3),
        named("iris-latest", make_version("iris", 3)),
        "the name of a DatasetVersion is <dataset>-v<version>, such as iris-v3",
    ),
    Change(
        "a version's content stays",
        make_version(tags={"owner": "team-a"}, description="150 flowers"),
        make_version(inventory=make_inventory_ref(digest=DIGEST.replace("ab", "cd"))),
        "a version never changes, but for tags and description",
        before=make_version(),
    ),
    Change(
        "a version's facts cannot be added to",
        make_version(tags={"owner": "team-b"}),
        make_version(schema={"columns": [{"name": "petal", "type": "number"}]}),
        "a version never changes, but for tags and description",
        before=make_version(tags={"owner": "team-a"}),
    ),
]
