"""Images by their digests at submit: which registry is asked for what, and what becomes of a tag that stays."""

from __future__ import annotations

from typing import Any

import pytest

from towpath.pinned_images import VARIABLE, pinned
from towpath.registry import ImageName, UnansweredError, image_name

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture(autouse=True)
def asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)


@pytest.mark.parametrize(
    ("image", "host", "repository", "tag"),
    [
        ("python:3.12", "docker.io", "library/python", "3.12"),
        ("team/train", "docker.io", "team/train", "latest"),
        ("docker.io/python", "docker.io", "library/python", "latest"),
        ("ghcr.io/a/b/c:v1", "ghcr.io", "a/b/c", "v1"),
        ("localhost/a:1", "localhost", "a", "1"),
        ("localhost:5000/a", "localhost:5000", "a", "latest"),
        ("10.0.0.1:5000/a/b:1", "10.0.0.1:5000", "a/b", "1"),
    ],
)
def test_a_name_is_read_as_container_runtimes_read_it(
    image: str, host: str, repository: str, tag: str
) -> None:
    assert image_name(image) == ImageName(host, repository, tag)


@pytest.mark.parametrize(
    "image", ["", "A/B", "a:", "a b", "a/../b", "x?y", "ghcr.io/", "a:t@sha256:1", "a/b:c:d"]
)
def test_what_is_no_name_is_asked_of_nobody(image: str) -> None:
    with pytest.raises(UnansweredError, match="no name"):
        image_name(image)


def test_each_tag_is_asked_once_and_all_else_stays_as_it_is() -> None:
    asked: list[ImageName] = []

    def ask(name: ImageName) -> str:
        asked.append(name)
        return ONE if name.tag == "1" else TWO

    steps: list[dict[str, Any]] = [
        {"name": "a", "image": "x:1"},
        {"name": "b", "image": "x:1", "args": ["y"]},
        {"name": "c"},
    ]
    steps += [{"name": "d", "image": f"y@{TWO}"}, {"name": "e", "image": "x:2"}]
    spec: dict[str, Any] = {"steps": steps, "params": [{"name": "p"}]}
    said: list[str] = []

    found = pinned(spec, said.append, ask)

    images = [step.get("image") for step in found["steps"]]
    assert images == [f"x:1@{ONE}", f"x:1@{ONE}", None, f"y@{TWO}", f"x:2@{TWO}"]
    assert [name.tag for name in sorted(asked, key=lambda name: name.tag)] == ["1", "2"]
    assert (found["params"], found["steps"][1]["args"], said) == ([{"name": "p"}], ["y"], [])
    assert steps[0]["image"] == "x:1"


def test_who_does_not_answer_leaves_the_tag_and_that_is_said() -> None:
    def ask(name: ImageName) -> str:
        raise UnansweredError(f"{name.host} does not answer")

    said: list[str] = []
    spec = {"steps": [{"name": "a", "image": "ghcr.io/x:1"}, {"name": "b", "image": "No/Name"}]}
    assert pinned(spec, said.append, ask) == spec
    assert said == [
        "No/Name stays a tag, and its steps are not reused by themselves: it is no name and tag of an image.",
        "ghcr.io/x:1 stays a tag, and its steps are not reused by themselves: ghcr.io does not answer.",
    ]


def test_nobody_is_asked_where_that_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "never")
    spec = {"steps": [{"name": "a", "image": "x:1"}]}
    assert pinned(spec, pytest.fail, lambda name: pytest.fail(f"{name} was asked for")) == spec
