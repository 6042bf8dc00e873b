"""Globs against a naive reader of the same rules."""

from __future__ import annotations

import re
import time
from fnmatch import fnmatchcase

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from towpath.flow.globs import is_glob, parse


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.csv", "a.csv"),
        ("**/*.csv", "a.csv"),
        ("**/*.csv", "x/y/a.csv"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("data/**", "data/x"),
        ("data/**", "data/x/y"),
        ("[ab]?.t[!a-m]t", "bz.txt"),
        ("[*]", "*"),
        ("[]]", "]"),
        ("a[b", "a[b"),
        ("*", ".hidden"),
        ("*/**/*/x", "a/b/x"),
        ("[!!]", "a"),
        ("[a-]", "-"),
        ("[b-ac]", "c"),
        ("*a*a", "aa"),
        ("*ab*b*", "abab"),
        ("[!b-a]", "b"),
    ],
)
def test_a_glob_matches(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.csv", "x/a.csv"),
        ("data/**", "data"),
        ("data/**", "data2/x"),
        ("?", ""),
        ("?", "ab"),
        ("[!a]", "a"),
        ("[a-c]", "d"),
        ("a**b", "a/b"),
        ("*/*", "a"),
        ("**/a", "ba"),
        ("[/]", "/"),
        ("[!!]", "!"),
        ("[b-a]", "b"),
    ],
)
def test_a_glob_does_not_match(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_the_base_is_the_folder_above_the_first_pattern() -> None:
    assert [parse(pattern).base for pattern in ("*", "a/*", "a/b/**/c", "a*/b", "**")] == [
        "",
        "a/",
        "a/b/",
        "",
        "",
    ]
    assert not is_glob("a/b.c")


def test_many_stars_on_a_long_name_cost_little() -> None:
    begun = time.process_time()
    assert not matches("**/" * 20 + "*a" * 40 + "b", "/".join(["a" * 200] * 40))
    assert time.process_time() - begun < 2


@given(
    st.lists(st.sampled_from(["a", "b", "*", "?", "**", "/", "[ab]", "[!a]"]), min_size=1, max_size=8).map(
        "".join
    ),
    st.lists(st.sampled_from(["a", "b", "/"]), max_size=8).map("".join),
)
def test_a_glob_agrees_with_the_naive_reader(pattern: str, path: str) -> None:
    assert matches(pattern, path) == naive(pattern.split("/"), path.split("/"))


@given(st.text("ab[]!*?-^.", min_size=1, max_size=8), st.text("ab]!-^.\n", max_size=6))
def test_one_name_is_matched_as_by_the_standard_library(pattern: str, name: str) -> None:
    # Of [z-a!b] the library drops the empty range first, and then takes the ! for a negation.
    assume(not any(end < begin for begin, end in re.findall("(?=(.)-(.))", pattern)))
    if pattern != "**":
        assert matches(pattern, name) == fnmatchcase(name, pattern)


@given(st.lists(st.sampled_from(["a", "b?", "*", "**", "x*", "[ab]"]), min_size=1, max_size=5).map("/".join))
def test_a_pattern_written_again_is_the_same(pattern: str) -> None:
    assert parse(parse(pattern).text()) == parse(pattern)


def matches(pattern: str, path: str) -> bool:
    return parse(pattern).fits(path)


def naive(parts: list[str], names: list[str]) -> bool:
    """Try everything: `**` takes any number of names, as the last part at least one."""
    if not parts:
        return not names
    if parts == ["**"]:
        return bool(names)
    if parts[0] == "**":
        return any(naive(parts[1:], names[count:]) for count in range(len(names) + 1))
    return bool(names) and naive_name(parts[0], names[0]) and naive(parts[1:], names[1:])


def naive_name(part: str, name: str) -> bool:
    if not part:
        return not name
    if part[0] == "*":
        return any(naive_name(part[1:], name[count:]) for count in range(len(name) + 1))
    for token, members, negated in (("[ab]", "ab", False), ("[!a]", "a", True)):
        if part.startswith(token):
            return bool(name) and (name[0] in members) != negated and naive_name(part[4:], name[1:])
    return bool(name) and part[0] in (name[0], "?") and naive_name(part[1:], name[1:])
