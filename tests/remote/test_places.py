"""The grammar of places."""

from __future__ import annotations

from pathlib import Path

import pytest

from towpath.errors import UserErrorException
from towpath.places import DatasetPlace, DatastorePlace, LocalPlace, OutputPlace, Place, parse_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("data", LocalPlace(Path("data"))),
        ("./data/", LocalPlace(Path("data"), is_folder=True)),
        ("/tmp/a:b", LocalPlace(Path("/tmp/a:b"))),
        ("./default:/x", LocalPlace(Path("default:/x"))),
        ("C:/data", LocalPlace(Path("C:/data"))),
        ("default:/raw/a b.csv", DatastorePlace("default", "raw/a b.csv")),
        ("Team_Store:/raw/", DatastorePlace("team-store", "raw", is_folder=True)),
        ("default:/", DatastorePlace("default", "", is_folder=True)),
        ("default:/a:b", DatastorePlace("default", "a:b")),
        ("dataset:iris", DatasetPlace("iris")),
        ("dataset:training_data@3", DatasetPlace("training-data", 3)),
        ("dataset:iris@v3", DatasetPlace("iris", 3)),
        ("dataset:iris@latest", DatasetPlace("iris")),
        ("run:iris-x7k2p/prep/clean_data", OutputPlace("iris-x7k2p", "prep", "clean_data")),
    ],
)
def test_a_place_is_what_it_says(text: str, place: Place) -> None:
    assert parse_place(text) == place
    if not isinstance(place, LocalPlace):
        assert parse_place(str(place)) == (
            place
            if not isinstance(place, DatastorePlace)
            else DatastorePlace(place.datastore, place.path, not place.path)
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "An empty place"),
        ("default:raw", "write default:/raw for a datastore's, or ./default:raw"),
        ("default:/../x", "leaves its folder"),
        ("default://x", "absolute"),
        ("default:/a//b", "an empty part"),
        ("default:/a\nb", "control character"),
        ("dataset:", "write dataset:NAME"),
        ("dataset:a/b", "write dataset:NAME"),
        ("dataset:iris@x", "a version is a number"),
        ("dataset:iris@0", "a version is a number"),
        ("run:iris/prep", "write run:NAME/STEP/OUTPUT"),
        ("run:iris//x", "write run:NAME/STEP/OUTPUT"),
    ],
)
def test_what_is_no_place_is_told_how_to_be_written(text: str, said: str) -> None:
    with pytest.raises(UserErrorException) as raised:
        parse_place(text)
    assert said in str(raised.value)
