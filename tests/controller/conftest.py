"""One operator for all tests that leave it alive: it watches three namespaces, two of them for quotas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.access import Access
from cluster.kubectl import Kubectl, fresh_namespace
from controller.operator_process import running_operator
from controller.runs import Runs, Shared


@pytest.fixture(scope="session")
def shared(cluster: Access, served: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """An operator with little patience, which leads."""
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    settings = {"TOWPATH_START_TIMEOUT_SECONDS": "15", "TOWPATH_STEP_GRACE_SECONDS": "2"}
    with (
        fresh_namespace(served) as roomy,
        fresh_namespace(served) as tight,
        fresh_namespace(served) as tighter,
        running_operator(cluster, roomy, log, tight, tighter, **settings) as operator,
    ):
        yield Shared(operator, Runs(served, roomy), Runs(served, tight), Runs(served, tighter))


@pytest.fixture
def runs(served: Kubectl, namespace: str) -> Runs:
    """The runs of a namespace that no operator watches yet."""
    return Runs(served, namespace)
