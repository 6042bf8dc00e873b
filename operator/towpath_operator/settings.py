"""The environment as one frozen value: read once at the start, handed to whoever needs it.

Every variable begins with TOWPATH_; the chart sets them. A bad value ends the process, naming the variable.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from towpath.flow.decision import Limits
from towpath_operator.jobs.settings import PodSettings

PREFIX = "TOWPATH_"


class SettingsError(Exception):
    """The environment holds something that cannot be used; the message names the variables."""


@dataclass(frozen=True)
class Settings:
    """What an installation may set. Durations are seconds; lists are separated by commas, maps are JSON."""

    namespace: str = "default"
    identity: str = field(default_factory=lambda: f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}")
    watch_namespaces: tuple[str, ...] = ()
    lease_name: str = "towpath-operator"
    leader_election: bool = True
    http_host: str = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from outside of the pod
    http_port: int = 8080
    log_level: str = "INFO"
    workers: int = 8
    audit_seconds: float = 420.0
    mover_image: str = "localhost/towpath/towpath:dev"
    mover_resources: dict[str, Any] = field(default_factory=dict)
    mover_image_pull_policy: str = "IfNotPresent"
    fuse_sidecar_enabled: bool = False
    fuse_sidecar_cache_bytes: int = 0
    fuse_sidecar_resources: dict[str, Any] = field(default_factory=dict)
    image_pull_secrets: tuple[str, ...] = ()
    step_image: str = ""
    cluster_id: str = ""
    max_scratch_bytes: int | None = Limits.max_scratch_bytes
    default_user: int = 1000
    platform_assigns_user: bool = False
    start_timeout_seconds: int = Limits.start_timeout_seconds
    store_timeout_seconds: int = Limits.store_timeout_seconds
    ttl_seconds_after_finished: int = PodSettings.ttl_seconds_after_finished
    termination_grace_period_seconds: int = PodSettings.termination_grace_period_seconds
    step_grace_seconds: int = PodSettings.step_grace_seconds
    cancel_grace_seconds: int = Limits.cancel_grace_seconds
    sweep_older_than_seconds: int = Limits.sweep_older_than_seconds
    sweep_is_dry: bool = Limits.sweep_is_dry
    sweep_interval_seconds: int = Limits.sweep_interval_seconds
    mover_failures: int = Limits.mover_failures
    disruptions: int = Limits.disruptions


_LISTS = ("watch_namespaces", "image_pull_secrets")
_MAPS = ("mover_resources", "fuse_sidecar_resources")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that this environment holds; variables that are unset or empty leave the default."""
    given: dict[str, object] = {}
    for name in Settings.__dataclass_fields__:
        text = environment.get(PREFIX + name.upper(), "").strip()
        if text:
            given[name] = _value(name, text)
    try:
        return TypeAdapter(Settings).validate_python(given)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error


def _value(name: str, text: str) -> object:
    if name in _LISTS:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name in _MAPS:
        return _json_object(name, text)
    return text


def _json_object(name: str, text: str) -> dict[str, Any]:
    try:
        return TypeAdapter(dict[str, Any]).validate_json(text)
    except ValidationError as error:
        raise SettingsError(
            f"{PREFIX}{name.upper()} must be a JSON object, and is not: {text[:80]}"
        ) from error


def _explain(error: ValidationError) -> str:
    lines = [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']} (it is {e['input']!r})" for e in error.errors()]
    return "the operator's environment holds what it cannot use: " + "; ".join(lines)
