"""What identifies a step's work: a contract known when it is planned, finished by the digests of its inputs.

Taken over templates and references, never over values that differ from place to place (paths, secrets).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.flow import names
from towpath.flow.documents import digest_of
from towpath.flow.planned import Content, PlannedOutput, PlannedStep

Contract = dict[str, str]

HASHED = ("command", "args", "env", "envFrom", "transforms", "shards")


def contract(
    step: Mapping[str, Any], outputs: tuple[PlannedOutput, ...], params_used: Mapping[str, str]
) -> Contract:
    """The components of a step's contract; of `step` image, command and what HASHED names."""
    components = {name: step[name] for name in HASHED if step.get(name)}
    components["outputs"] = [_declaration(output) for output in outputs]
    components["params"] = dict(params_used)
    digests = {name: digest_of(value) for name, value in components.items() if value}
    code = {"code": step["code"]} if step.get("code") else {}
    return digests | code | {"image": step["image"]}


def fingerprint(step: PlannedStep, inputs: Mapping[str, Content]) -> str:
    """The finished fingerprint of a step whose inputs are these."""
    digests = {name: content.inventory.digest for name, content in inputs.items()}
    return digest_of({"contract": dict(step.contract), "inputs": digests})


def _declaration(output: PlannedOutput) -> dict[str, Any]:
    declared = {"name": output.name, "optional": output.optional, "allowEmpty": output.allow_empty}
    declared |= {"directory": output.directory, "makeDirectory": output.make_directory}
    return declared | ({"mountPath": output.path} if names.is_elsewhere(output.path) else {})
