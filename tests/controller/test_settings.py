"""The environment becomes settings, or an error that names the variable."""

from __future__ import annotations

import json
import logging

import pytest

from towpath_operator.logs import JsonLines
from towpath_operator.settings import SettingsError, read_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({"TOWPATH_WATCH_NAMESPACES": "", "PATH": "/bin"})
    assert settings.watch_namespaces == ()
    assert settings.start_timeout_seconds == 300


def test_lists_numbers_and_maps_are_read() -> None:
    settings = read_settings(
        {
            "TOWPATH_WATCH_NAMESPACES": "team-a, team-b",
            "TOWPATH_HTTP_PORT": "9090",
            "TOWPATH_LEADER_ELECTION": "false",
            "TOWPATH_MOVER_RESOURCES": '{"limits": {"memory": "256Mi"}}',
        }
    )
    assert settings.watch_namespaces == ("team-a", "team-b")
    assert settings.http_port == 9090
    assert settings.leader_election is False
    assert settings.mover_resources == {"limits": {"memory": "256Mi"}}


@pytest.mark.parametrize(
    ("variable", "value"),
    [("TOWPATH_HTTP_PORT", "many"), ("TOWPATH_MOVER_RESOURCES", "{"), ("TOWPATH_AUDIT_SECONDS", "soon")],
)
def test_a_bad_value_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: value})


def test_two_processes_on_one_machine_are_two() -> None:
    assert read_settings({}).identity != read_settings({}).identity


def test_a_record_is_one_line_of_json_with_its_extras() -> None:
    record = logging.LogRecord("towpath", logging.INFO, "", 0, "step %s\nended", ("prep",), None)
    record.__dict__["run"] = "iris-1"
    text = JsonLines().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["message"], line["run"], line["level"]) == ("step prep\nended", "iris-1", "info")
