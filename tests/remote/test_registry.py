"""A tag's digest, asked of a real registry: open, with a login, with tokens, and where it cannot be had."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from builders import make_pipeline, make_step
from cli.command_line import towpath
from cli.memory import MemoryBackend
from remote.registry_server import HTPASSWD, LOGIN, REGISTRY, push, registry, with_tokens
from stores.programs import is_built
from towpath.backend import Kind
from towpath.pinned_images import VARIABLE
from towpath.pipeline import Pipeline
from towpath.registry import ImageName, UnansweredError, digest_of
from towpath.steps import CommandStep

pytestmark = [pytest.mark.server] + ([] if is_built(REGISTRY) else [pytest.mark.long])


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a registry that holds team/train:v1."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def digest(images: Path) -> str:
    with registry(images) as host:
        push(host, "team/train", "v1", b"first")
        return push(host, "team/train", "v1", b"second")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who is logged in nowhere."""
    for variable in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def log_in(home: Path, host: str, login: str = LOGIN) -> None:
    (home / "config.json").write_text(json.dumps({"auths": {host: {"auth": login}}}))


def name(host: str, tag: str = "v1") -> ImageName:
    return ImageName(host, "team/train", tag)


def test_a_tag_is_what_was_pushed_last(images: Path, digest: str) -> None:
    with registry(images) as host:
        assert digest_of(name(host)) == digest
        with pytest.raises(UnansweredError, match="answers 404 for team/train:v2"):
            digest_of(name(host, "v2"))


def test_who_is_logged_in_is_answered_and_nobody_else(
    images: Path, digest: str, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    auth = {"htpasswd": {"realm": "test", "path": str(tmp_path / "htpasswd")}}
    with registry(images, auth) as host:
        with pytest.raises(UnansweredError, match="wants a login, and this user has none"):
            digest_of(name(host))
        log_in(home, "elsewhere.example")
        with pytest.raises(UnansweredError, match="wants a login"):
            digest_of(name(host))
        log_in(home, host, "d3Jvbmc6cGFzc3dvcmQ=")
        with pytest.raises(UnansweredError, match="answers 401"):
            digest_of(name(host))
        log_in(home, host)
        assert digest_of(name(host)) == digest


def test_a_token_is_fetched_with_a_login_where_there_is_one(
    images: Path, digest: str, home: Path, tmp_path: Path
) -> None:
    with with_tokens(tmp_path, images) as found:
        assert digest_of(name(found.host)) == digest
        log_in(home, found.host)
        assert digest_of(name(found.host)) == digest
    assert found.logins == [None, f"Basic {LOGIN}"]


def test_a_registry_that_is_not_there_is_said_soon(home: Path) -> None:
    (home / "config.json").write_text("no json")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UnansweredError, match=f"127.0.0.1:{port} does not answer"):
        digest_of(name(f"127.0.0.1:{port}"))


def test_a_run_of_a_file_and_a_submitted_pipeline_are_sent_with_digests(
    images: Path, digest: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE)
    backend = MemoryBackend()
    file = tmp_path / "pipeline.yaml"
    with registry(images) as host:
        image = f"{host}/team/train:v1"
        file.write_text(yaml.safe_dump(make_pipeline("trained", make_step("train", image=image))))
        assert towpath(backend, "run", str(file), "--detach").code == 0
        workspace: Any = SimpleNamespace(backend=backend, is_local=False)
        step = CommandStep(["true"], "train", image=image)
        run = Pipeline(workspace, [step]).submit("trained")
    applied = backend.objects[Kind.PIPELINE, "trained"]
    submitted = backend.objects[Kind.PIPELINE_RUN, run.id]["spec"]["pipelineSpec"]
    found = [spec["steps"][0]["image"] for spec in (applied["spec"], submitted)]
    assert found == [f"{image}@{digest}"] * 2
