"""The command line as a process, by a user with the role `edit`, against a real operator: the life of a run's data."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
import yaml

from builders import make_pipeline
from cluster.pods import PYTHON_IMAGE
from cluster.space import Space
from cluster.waiting import wait_until
from e2e.tenant import Tenant, condition
from remote.users import with_cluster_role

pytestmark = pytest.mark.story

CODE = """
import sys
from towpath import Run
lines = [line for name in ("petal-a.csv", "petal-b.csv") for line in open(sys.argv[1] + "/" + name)]
Run.get_context().log("lines", len(lines))
print("counted", len(lines))
open(sys.argv[2], "w").write(sys.argv[3] * len(lines))
"""
FAILS = "import os, sys; print('so it ends'); sys.exit(7)"


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it wrote as JSON."""
        return json.loads(self.out)


class User(NamedTuple):
    """Somebody at a laptop, in a folder, with a kubeconfig."""

    folder: Path
    kubeconfig: Path

    @property
    def environ(self) -> dict[str, str]:
        """What a command of theirs finds."""
        return os.environ | {"KUBECONFIG": str(self.kubeconfig), "TOWPATH_CACHE": str(self.folder / "cache")}

    def __call__(self, words: str, code: int = 0) -> Ended:
        """Call `towpath` with these words; another exit code is the test's failure."""
        command = [sys.executable, "-m", "towpath", *words.split()]
        ended = subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code, (
            f"towpath {words}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="module")
def user(tenant: Tenant, default_store: str, tmp_path_factory: pytest.TempPathFactory) -> User:
    del default_store
    folder = tmp_path_factory.mktemp("laptop")
    file = with_cluster_role(tenant.tools.kubectl, tenant.namespace, "edit", folder / "kubeconfig")
    (folder / "petals").mkdir()
    (folder / "petals/petal-a.csv").write_text("length\n1\n")
    (folder / "petals/petal-b.csv").write_text("length\n2\n3\n")
    (folder / "counted.yaml").write_text(yaml.safe_dump(_pipeline("counted", CODE)))
    (folder / "failing.yaml").write_text(yaml.safe_dump(_pipeline("failing", FAILS)))
    return User(folder, file)


def _pipeline(name: str, code: str) -> dict[str, Any]:
    step = {
        "name": "count",
        "image": PYTHON_IMAGE,
        "command": [
            "python3",
            "count.py",
            "$(inputs.petals.path)",
            "$(outputs.total.path)",
            "$(params.mark)",
        ],
        "code": {"inline": {"count.py": code}},
        "inputs": [{"name": "petals"}],
        "outputs": [{"name": "total", "register": {"name": f"{name}-total"}}],
        # By a tag only: it is known that it is not pushed again.
        "reuse": "Always",
    }
    pipeline = make_pipeline(name, step, params=[{"name": "mark", "default": "x"}])
    return pipeline | {"metadata": {"name": name}}


@pytest.fixture(scope="module")
def petals(user: User) -> str:
    """A dataset that was brought by `towpath add`."""
    assert user("add dataset petals ./petals").out == "petals@1\n"
    return "petals"


@pytest.fixture(scope="module")
def done(user: User, petals: str) -> str:
    """A run that was started by `towpath run FILE`, and succeeded."""
    del petals
    ended = user("run counted.yaml")
    name = ended.out.strip()
    assert f"{name}: count: Succeeded" in ended.err
    return name


def test_what_was_added_is_there_and_comes_back(
    user: User, petals: str, space: Space, tmp_path: Path
) -> None:
    keys = [key for key in space.keys("") if key.endswith("/petal-a.csv")]
    assert len(keys) == 1
    assert space.get(keys[0]) == b"length\n1\n"
    assert user(f"get datasets {petals} -o name").out == f"datasets.towpath.dev/{petals}\n"
    version = user("get versions petals-v1 -o json").data
    assert (version["spec"]["files"], version["spec"]["bytes"]) == (2, 20)
    user(f"cp dataset:petals@1 {tmp_path}/back")
    assert (tmp_path / "back/petal-b.csv").read_text() == "length\n2\n3\n"


def test_a_plan_says_what_would_move(user: User, petals: str) -> None:
    del petals
    planned = user("plan counted.yaml -o json").data
    assert planned["steps"][0]["name"] == "count"
    assert "20" in json.dumps(planned)


def test_a_run_is_told_in_every_way(user: User, done: str) -> None:
    status = user(f"get runs {done} -o json").data["status"]
    assert (status["state"], status["steps"][0]["metrics"]) == ("Succeeded", [{"name": "lines", "value": 5}])
    assert done in user("get runs").out
    assert "counted-total@1" in user(f"describe run {done}").out
    assert "counted 5" in user(f"logs {done} count").out
    assert "petals" in user(f"lineage run:{done}").out
    assert "counted-total@1" in user("lineage petals@1").out
    assert "count" in user(f"why {done}").out


def test_an_output_is_fetched_and_a_second_run_takes_it(user: User, done: str) -> None:
    user(f"cp run:{done}/count/total total.txt")
    assert (user.folder / "total.txt").read_text() == "xxxxx"
    again = user("run counted -q").out.strip()
    step = user(f"get runs {again} -o json").data["status"]["steps"][0]
    assert step["reusedFrom"]["run"] == done
    assert done in user(f"why {again}/count").out
    other = user("run counted -q -p mark=y").out.strip()
    assert "param mark: was x, is y" in user(f"why {other}/count").out
    differs = user(f"diff run:{done}/count/total run:{other}/count/total --exit-code", code=1).out
    assert "total" in differs


def test_a_changed_source_is_seen_by_refresh(user: User, done: str, space: Space) -> None:
    del done
    (key,) = [key for key in space.keys("") if key.endswith("/petal-b.csv")]
    space.put(key, b"length\n2\n3\n4\n")
    assert "petals" in user("refresh dataset petals").out
    assert user("get versions petals-v2 -o json").data["spec"]["bytes"] == 22
    assert "~ petal-b.csv" in user("diff dataset:petals@1 dataset:petals@2").out


def test_what_failed_ends_with_its_last_lines_and_is_tried_again(user: User, done: str) -> None:
    del done
    ended = user("run failing.yaml", code=1)
    name = ended.out.strip()
    assert "so it ends" in ended.err
    assert "7" in user(f"why {name}/count").out
    retried = user(f"retry {name} -o json").data
    assert retried["spec"]["retryOf"]["name"] == name
    retry = retried["metadata"]["name"]
    user(f"cancel {retry}")
    assert wait_until(lambda: "completionTime" in _status(user, retry), 120)
    assert _status(user, retry)["state"] in ("Cancelled", "Failed")
    assert user("cancel no-such-run", code=2).err


def _status(user: User, run: str) -> dict[str, Any]:
    status: dict[str, Any] = user(f"get runs {run} -o json").data["status"]
    return status


def test_what_is_held_is_counted_and_what_is_left_is_swept(user: User, done: str) -> None:
    del done
    held = user("du -o json").data
    assert "petals" in json.dumps(held)
    asked = user("gc default --dry-run -o json").data
    assert asked["dryRun"] is True
    assert asked["datastores"]["default"].startswith("Would delete ")
    assert re.match(r"default: Deleted \d+ attempts", user("gc --yes default").out)
    user("cp dataset:counted-total@1 kept.txt")
    assert (user.folder / "kept.txt").read_text() == "xxxxx"


def test_the_doctor_says_what_is_well_and_what_is_wrong_and_what_to_do(
    user: User, done: str, tenant: Tenant, space: Space
) -> None:
    del done
    wrong = tenant.s3_datastore(space, credentialsSecretRef={"name": "never-made"})
    tenant.apply("Datastore", "unwell", wrong)
    is_missing = lambda status: condition(status, "Ready").get("reason") == "CredentialsMissing"  # noqa: E731
    tenant.until("datastores", "unwell", is_missing, 120)
    found = user("doctor", code=1).out
    assert re.search(r"^ok +Datastore default is Ready$", found, re.MULTILINE)
    assert re.search(
        r"^wrong +Datastore unwell is not Ready: CredentialsMissing: .*never-made", found, re.MULTILINE
    )
    assert "Then: towpath refresh datastore unwell" in found
    tenant.delete("datastores", "unwell")


def test_a_report_is_one_file_with_the_run_in_it(user: User, done: str) -> None:
    user(f"report {done} -o run.html")
    page = (user.folder / "run.html").read_text()
    assert done in page
    assert "counted 5" in page


@pytest.fixture
def pages(user: User, done: str) -> Iterator[str]:
    """The address of `towpath ui`."""
    del done
    command = [sys.executable, "-m", "towpath", "ui", "--no-open"]
    with subprocess.Popen(
        command,
        cwd=user.folder,
        env=user.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found is not None, said
        yield found.group()
        # Not Ctrl-C: who runs tests in the background may have it ignored.
        process.terminate()
        process.communicate(timeout=60)


def test_the_pages_show_the_namespace(pages: str, done: str) -> None:
    with urlopen(pages) as answer:  # noqa: S310
        assert done in answer.read().decode()


def test_a_step_of_the_run_is_replayed_here(user: User, done: str) -> None:
    assert user(f"replay {done} count --into again").out == "again\n"
    (run,) = user("get runs --folder again -o json").data["items"]
    name = run["metadata"]["name"]
    assert "counted 5" in user(f"logs {name} count --folder again").out
    user(f"cp run:{name}/count/total here.txt --folder again")
    assert (user.folder / "here.txt").read_text() == "xxxxx"
