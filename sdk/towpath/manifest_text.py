"""Manifests → YAML that every reader reads alike: kubectl and PyYAML differ on plain scalars such as `y` and `1e-3`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

# What begins with a letter, a slash or $( and is none of YAML's own words may stand plain; all else is quoted.
_PLAIN = re.compile(r"[A-Za-z/$][-A-Za-z0-9_./$(){}*@]*( [A-Za-z][-A-Za-z0-9_./()]*)*")
_WORDS = re.compile(r"y|n|yes|no|on|off|true|false|null|nan|inf", re.IGNORECASE)


class _Dumper(yaml.SafeDumper):
    """Writes equal parts out each time, indents lists, and quotes what could be read as another type."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    is_plain = _PLAIN.fullmatch(text) and not _WORDS.fullmatch(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


_Dumper.add_representer(str, _text)


def as_yaml(manifests: Iterable[Mapping[str, Any]]) -> str:
    """Return the manifests as one stream of YAML documents."""
    documents = [
        yaml.dump(dict(manifest), Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
        for manifest in manifests
    ]
    return "---\n".join(documents)
