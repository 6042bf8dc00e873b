"""The operator's rights: those of the chart are those of the page, and the API server agrees."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from chart.helm import Helm, Object, of_kind
from cluster.access import REPOSITORY
from cluster.direct import Direct
from cluster.kubectl import Kubectl, fresh_namespace
from cluster.waiting import wait_until

pytestmark = pytest.mark.server

PAGE = REPOSITORY / "docs" / "reference" / "rbac.md"
RIGHTS_KINDS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ServiceAccount")
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")

Right = tuple[str, str, str, str]


def page_rights(section: str) -> set[Right]:
    """The table of a section of the page: API group, resource, its name (or nothing), verb."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)`(?: `([^`]+)`)? \| ([^|]+) \|[^|]*\|$", text, re.MULTILINE)
    rights = set()
    for resource, name, verbs in rows:
        group, _, plural = resource.rpartition("/") if resource.count("/") == 1 else resource.partition("/")
        if resource.count("/") == 2:
            group, plural = resource.split("/", 1)
        rights |= {(group, plural, name, verb) for verb in re.findall(r"`([a-z]+)`", verbs)}
    return rights


def chart_rights(rules: list[Object]) -> set[Right]:
    """The rules of a role, one by one."""
    return {
        (group, resource, name, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    }


def role(objects: list[Object], kind: str, name: str) -> set[Right]:
    (found,) = [each for each in of_kind(objects, kind) if each["metadata"]["name"] == name]
    return chart_rights(found["rules"])


def test_the_page_lists_exactly_the_rights_of_the_chart(helm: Helm) -> None:
    objects = helm.render()
    watched, cluster = page_rights("In every namespace that it watches"), page_rights("In the cluster")
    assert watched | cluster == role(objects, "ClusterRole", "towpath-towpath-system")
    assert page_rights("In its own namespace") == role(objects, "Role", "towpath")


def test_the_page_lists_what_the_fuse_sidecar_adds(helm: Helm) -> None:
    names = "Role", "ClusterRole"
    with_it = helm.render(mounts__fuseSidecar__enabled=True, watchNamespaces=["team-a"])
    without = helm.render(watchNamespaces=["team-a"])
    given, usual = (
        {right for each in of_kind(objects, *names) for right in chart_rights(each["rules"])}
        for objects in (with_it, without)
    )
    assert given - usual == page_rights("Where the FUSE sidecar is enabled")


def test_the_page_lists_exactly_what_users_are_given(helm: Helm) -> None:
    objects = helm.render()
    for who in ("view", "edit"):
        assert page_rights(f"For users: {who}") == role(
            objects, "ClusterRole", f"towpath-towpath-system-{who}"
        )


def test_no_right_is_on_secrets_and_none_is_a_wildcard(helm: Helm) -> None:
    rules = [rule for each in of_kind(helm.render(), "Role", "ClusterRole") for rule in each["rules"]]
    assert not any(
        {"secrets", "*"} & {*rule["resources"], *rule["verbs"], *rule["apiGroups"]} for rule in rules
    )


@dataclass(frozen=True)
class Account:
    """Somebody, and what the API server lets them do."""

    direct: Direct
    name: str

    def may(self, namespace: str, rights: Iterable[Right]) -> dict[Right, bool]:
        """Which of these rights it has in a namespace."""
        return {right: self._may(namespace, right) for right in rights}

    def _may(self, namespace: str, right: Right) -> bool:
        group, resource, name, verb = right
        plural, _, sub = resource.partition("/")
        wanted = {"namespace": namespace, "verb": verb, "group": group, "resource": plural}
        wanted |= {"subresource": sub, "name": name}
        spec = {"user": self.name, "groups": ["system:authenticated"], "resourceAttributes": wanted}
        return bool(self.direct.make("subjectaccessreviews", {"spec": spec})["status"]["allowed"])


def every_verb(*resources: tuple[str, str]) -> list[Right]:
    """All rights on some resources, each a group and a plural."""
    return [(group, plural, "", verb) for group, plural in resources for verb in VERBS]


@pytest.fixture(scope="module")
def place(kubectl: Kubectl) -> Iterator[str]:
    """A namespace for all questions about the operator."""
    with fresh_namespace(kubectl) as name:
        yield name


@pytest.fixture(scope="module", params=["everywhere", "one namespace"])
def account(request: pytest.FixtureRequest, helm: Helm, kubectl: Kubectl, place: str) -> Iterator[Account]:
    """The operator's account, with the chart's rights for one namespace only, or for all."""
    release = f"rights-{secrets.token_hex(3)}"
    values = {"watchNamespaces": [] if request.param == "everywhere" else [place], "crds__enabled": False}
    objects = of_kind(helm.render(place, release, **values), *RIGHTS_KINDS)
    kubectl.apply(*objects)
    yield Account(kubectl.direct, f"system:serviceaccount:{place}:{release}-towpath")
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    kubectl("delete", "--wait=false", "--filename", "-", stdin=json.dumps(listed))


def test_the_operator_may_do_what_the_page_says(account: Account, place: str) -> None:
    allowed = account.may(place, page_rights("In every namespace that it watches"))
    assert [right for right, is_allowed in allowed.items() if not is_allowed] == []


def test_the_operator_may_never_read_a_secret(account: Account, place: str, kubectl: Kubectl) -> None:
    for namespace in (place, "kube-system"):
        assert not any(account.may(namespace, every_verb(("", "secrets"))).values())
    said = kubectl.refusal("auth", "can-i", "get", "secrets", "--namespace", place, "--as", account.name)
    # kubectl says no on standard output, with exit code 1.
    assert "yes" not in said


def test_the_operator_may_not_change_what_runs_nor_what_users_wrote(account: Account, place: str) -> None:
    resources = [("", "pods"), ("batch", "jobs"), ("towpath.dev", "pipelineruns"), ("", "configmaps")]
    changes = [(*resource, "", verb) for resource in resources for verb in ("update", "patch")]
    ways_in = every_verb(("", "pods/exec"), ("", "pods/log"), ("", "serviceaccounts/token"))
    assert not any(account.may(place, changes + ways_in).values())


def test_rights_in_one_namespace_end_there(helm: Helm, kubectl: Kubectl, namespace: str) -> None:
    release = f"rights-{secrets.token_hex(3)}"
    values = {"watchNamespaces": [namespace], "clusterID": "test", "crds__enabled": False}
    objects = helm.render(namespace, release, rbac__aggregate=False, **values)
    kubectl.apply(*of_kind(objects, *RIGHTS_KINDS))
    account = Account(kubectl.direct, f"system:serviceaccount:{namespace}:{release}-towpath")
    rights = page_rights("In every namespace that it watches") | page_rights("In the cluster")
    assert all(account.may(namespace, page_rights("In every namespace that it watches")).values())
    assert not any(account.may("default", rights).values())


def test_users_get_our_kinds_with_the_roles_that_they_have(
    helm: Helm, kubectl: Kubectl, namespace: str
) -> None:
    release = f"users-{secrets.token_hex(3)}"
    roles = of_kind(helm.render(namespace, release, rbac__create=False, crds__enabled=False), "ClusterRole")
    viewer, editor = (Account(kubectl.direct, f"{who}-of-{release}") for who in ("viewer", "editor"))
    kubectl.apply(
        *roles, role_binding("view", viewer.name), role_binding("edit", editor.name), namespace=namespace
    )
    view, edit = page_rights("For users: view"), page_rights("For users: edit")
    try:
        # The controller that adds our roles to the cluster's own takes a moment.
        assert wait_until(lambda: all(viewer.may(namespace, view).values()), 120, 0.5)
        assert wait_until(lambda: all(editor.may(namespace, view | edit).values()), 120, 0.5)
        transfers = editor.may(namespace, page_rights("For users: transfers"))
        assert [right for right, is_allowed in transfers.items() if not is_allowed] == []
        ways_to_pods = [("", "pods/portforward", "", "create"), ("batch", "jobs", "", "create")]
        assert not any(viewer.may(namespace, ways_to_pods).values())
        assert not any(viewer.may(namespace, edit).values())
        assert not any(editor.may(namespace, [("towpath.dev", "datasetversions", "", "create")]).values())
    finally:
        for each in roles:
            kubectl.direct.delete("clusterroles", each["metadata"]["name"], wait=False)


def role_binding(cluster_role: str, user: str) -> Object:
    """One of the cluster's own roles, given to a user."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": cluster_role},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": cluster_role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
