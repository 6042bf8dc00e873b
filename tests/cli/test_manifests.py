"""Manifests from a file: every mistake is named with its place, and what readers read differently is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import builders
from towpath.errors import InvalidObjectError, NotFoundError
from towpath.manifests import parse_manifests, read_manifests

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = "apiVersion: towpath.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: x}\n"


def refused(text: str) -> str:
    with pytest.raises(InvalidObjectError) as caught:
        parse_manifests(text, "pipeline.yaml")
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_read_as_they_are(path: Path) -> None:
    assert read_manifests(path) == list(yaml.safe_load_all(path.read_text()))


def test_all_mistakes_are_named_at_once_each_with_its_place() -> None:
    steps = "spec:\n  steps:\n  - {name: prep, comand: [a], retries: -4, inputs: [{name: b, form: x}]}\n"
    assert refused(HEAD + steps).splitlines() == [
        "pipeline.yaml has 3 mistakes:",
        "  spec.steps[prep].comand: there is no such field. Did you mean command or code?",
        "  spec.steps[prep].inputs[b].form: there is no such field. Did you mean from?",
        "  spec.steps[prep].retries: Input should be greater than or equal to 0 (-4)",
    ]


def test_an_unknown_kind_or_version_is_named_with_near_ones() -> None:
    assert "kind 'Pipelin' is none of Towpath's. Did you mean Pipeline" in refused(
        HEAD.replace("line\n", "lin\n")
    )
    assert "it knows towpath.dev/v1alpha1" in refused(HEAD.replace("v1alpha1", "v2"))


@pytest.mark.parametrize(
    "word",
    ["y", "N", "yes", "no", "on", "Off", "1e-3", "1.5e3", "12:30", "007", "0o17", "1_000", ".inf", ".nan"],
)
def test_what_readers_read_differently_is_refused_with_its_quoted_form(word: str) -> None:
    said = refused(HEAD + f"spec:\n  params: [{{name: a, default: {word}}}]\n")
    assert f'line 5: {word} is read in different ways; write "{word}" for the text' in said
    quoted = builders.make_pipeline("x", params=[{"name": "a", "default": word}])
    assert parse_manifests(yaml.safe_dump(quoted, default_style='"').replace('"null"', "null"), "x") == [
        quoted
    ]


@pytest.mark.parametrize(
    "word", ["0", "-5", "80", "0.5", "1.5e+3", "true", "2026-01-02", "yesterday", "1e", "e3"]
)
def test_what_all_readers_read_alike_is_taken(word: str) -> None:
    pipeline = HEAD + f"spec:\n  params: [{{name: a, default: {word}}}]\n  steps: [{{name: a}}]\n"
    [read] = parse_manifests(pipeline, "x")
    expected = {"0": 0, "-5": -5, "80": 80, "0.5": 0.5, "1.5e+3": 1500.0, "true": True}.get(word, word)
    assert read["spec"]["params"][0]["default"] == expected


def test_a_key_that_stands_twice_is_refused() -> None:
    assert "line 2: a stands twice in one object: remove one" in refused("a: 1\na: 2\n")


def test_a_document_among_several_is_named_by_its_number() -> None:
    assert "document 2: kind 'X' is none" in refused(
        HEAD + "spec: {steps: [{name: a}]}\n---\n" + HEAD.replace("Pipeline", "X")
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no manifest"),
        ("a: [", "is no YAML: line 1"),
        ("- x", "it is no object"),
        ("a: &a\n  b: *a\n", "an alias inside what it stands for"),
        ("[" * 5000, "is nested too deep"),
        ("a: !!python/object/apply:os.system [id]", "is no YAML"),
    ],
)
def test_what_is_no_manifest_is_refused_in_words(text: str, words: str) -> None:
    assert words in refused(text)


def test_other_groups_objects_are_nobody_elses_business() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}
    assert parse_manifests(yaml.safe_dump(secret), "x") == [secret]


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no file .*none\.yaml"):
        read_manifests(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(InvalidObjectError, match=r"is not UTF-8 \(byte 3\)"):
        read_manifests(tmp_path / "latin.yaml")
    with pytest.raises(InvalidObjectError, match="cannot be read"):
        read_manifests(tmp_path)
