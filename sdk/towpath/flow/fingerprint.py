"""What identifies a step's work: a contract known when it is planned, finished by the digests of its inputs.

Taken over templates and references, never over values that differ from place to place (paths, secrets). It does not
hold the step's name: a step that was renamed is the same work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from towpath.flow import names
from towpath.flow.contents import Content
from towpath.flow.documents import digest_of
from towpath.flow.planned import PlannedOutput, PlannedStep

Contract = dict[str, str]

HASHED = ("command", "args", "env", "envFrom", "transforms", "shards", "mountPaths", "volumes")
INPUT = "inputs."
_PINNED = re.compile(r"@(sha256:[0-9a-f]{64})$")


def contract(
    step: Mapping[str, Any], outputs: tuple[PlannedOutput, ...], params_used: Mapping[str, str]
) -> Contract:
    """The components of a step's contract; `step` has image and code, and of HASHED what it says."""
    components = {name: step[name] for name in HASHED if step.get(name)}
    components["outputs"] = [_declaration(output) for output in outputs]
    components["params"] = dict(params_used)
    digests = {name: digest_of(value) for name, value in components.items() if value}
    code = {"code": step["code"]} if step.get("code") else {}
    return digests | code | {"image": image_digest(step["image"]) or step["image"]}


def image_digest(image: str) -> str | None:
    """The digest by which an image is pinned, from whatever registry it comes; None where only a tag is known."""
    found = _PINNED.search(image)
    return found[1] if found else None


def components(step: PlannedStep, inputs: Mapping[str, Content]) -> Contract:
    """All that a step's fingerprint is made of, by name: its contract, and each input as `inputs.<name>`."""
    return dict(step.contract) | {INPUT + name: _identity(content) for name, content in inputs.items()}


def fingerprint(step: PlannedStep, inputs: Mapping[str, Content]) -> str:
    """The finished fingerprint of a step whose inputs are these."""
    return digest_of(components(step, inputs))


def changed(mine: Mapping[str, str], earlier: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the components that differ."""
    return tuple(name for name in sorted({*mine, *earlier}) if mine.get(name) != earlier.get(name))


def _identity(content: Content) -> str:
    # One file is given to the step as that file, and a folder of one file as a folder: the digest says neither.
    return content.inventory.digest + ("" if content.directory else " as a file")


def _declaration(output: PlannedOutput) -> dict[str, Any]:
    declared = {"name": output.name, "optional": output.optional, "allowEmpty": output.allow_empty}
    declared |= {"directory": output.directory, "makeDirectory": output.make_directory}
    declared |= {"datastore": output.datastore}
    return declared | ({"mountPath": output.path} if names.is_elsewhere(output.path) else {})
