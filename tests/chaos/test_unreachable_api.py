"""A minute without the API server: nobody storms it, nobody leads meanwhile, and then the work goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import in_namespace, make_run
from chaos.cutting_proxy import CuttingProxy, Mode, cutting_proxy
from chaos.scene import address_of, kubeconfig_through
from cluster.access import Access
from cluster.installation import Tools
from cluster.waiting import wait_until
from controller.operator_process import OperatorProcess
from controller.runs import plain_step
from scale.api import Api
from scale.control_plane import simulated_cluster

pytestmark = [pytest.mark.fault, pytest.mark.long, pytest.mark.timeout(600)]
NAMESPACE = "outage"
OUTAGE_SECONDS = 60
# Two operators, each with a watch or a list of some ten kinds and a Lease: more would be a storm.
MOST_CONNECTIONS = 2 * 15 * 12


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    with simulated_cluster(tmp_path) as access:
        kubectl = Tools(access).kubectl
        kubectl("create", "namespace", NAMESPACE)
        kubectl("wait", "--for=create", "serviceaccount/default", "--namespace", NAMESPACE, "--timeout=120s")
        yield access


@pytest.fixture
def proxy(access: Access) -> Iterator[CuttingProxy]:
    server = json.loads(access.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    with cutting_proxy("127.0.0.1", address_of(server)) as proxy:
        yield proxy


@pytest.fixture
def operators(access: Access, proxy: CuttingProxy, tmp_path: Path) -> Iterator[list[OperatorProcess]]:
    settings = {"KUBECONFIG": str(kubeconfig_through(access, proxy, tmp_path))}
    made = [
        OperatorProcess(access, NAMESPACE, tmp_path / f"{name}.log", identity=name, settings=settings)
        for name in ("one", "two")
    ]
    for operator in made:
        operator.start()
    yield made
    for operator in made:
        operator.kill()


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.STALL])
def test_a_minute_without_the_api_server_is_no_storm_and_makes_no_second_leader(
    access: Access, proxy: CuttingProxy, operators: list[OperatorProcess], mode: Mode
) -> None:
    api = Api(access, NAMESPACE)
    assert wait_until(lambda: len(leaders(operators)) == 1, 120)
    for operator in operators:
        operator.wait_ready()

    before, proxy.mode = proxy.connections, mode
    proxy.cut()
    api.create(
        "pipelineruns", in_namespace(NAMESPACE, make_run("waits", pipelineSpec={"steps": [plain_step("a")]}))
    )
    most, ends = watch_leaders(operators, OUTAGE_SECONDS)
    tried = proxy.connections - before
    assert leaders(operators) == []
    proxy.mode = Mode.RELAY
    proxy.cut()

    assert most <= 1
    # The leader, which lost its Lease; nobody else ends, and nobody because it is started meanwhile.
    assert ends <= 1
    assert tried <= MOST_CONNECTIONS
    assert wait_until(lambda: not restart(operators) and len(leaders(operators)) == 1, 120, 0.5)
    assert wait_until(
        lambda: api.get("pipelineruns", "waits").get("status", {}).get("state") == "Succeeded", 60
    )
    assert watch_leaders(operators, 5) == (1, 0)


def leaders(operators: list[OperatorProcess]) -> list[str]:
    return [operator.identity for operator in operators if operator.process and operator.is_leading()]


def watch_leaders(operators: list[OperatorProcess], seconds: float) -> tuple[int, int]:
    """The most that led at once in this time, and how many ended: they are started again, as a Deployment does."""
    end, most, ends = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        most = max(most, len(leaders(operators)))
        ends += restart(operators)
        time.sleep(1)
    return most, ends


def restart(operators: list[OperatorProcess]) -> int:
    """Start those again that ended; how many did."""
    over = [one for one in operators if one.process is not None and one.process.exitcode is not None]
    for operator in over:
        operator.start()
    return len(over)
