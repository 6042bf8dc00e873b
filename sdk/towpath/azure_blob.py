"""Azure ML's `register_azure_blob_container`: a Datastore on Azure Blob Storage, and the Secret that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from towpath.backend import Backend, Kind
from towpath.errors import AlreadyExistsError, DefinitionError
from towpath.flow import names
from towpath.notices import warn
from towpath.spelling import checks_keywords

if TYPE_CHECKING:
    from towpath.datastore import Datastore
    from towpath.workspace import Workspace

_PUBLIC = "core.windows.net"


@checks_keywords
def register_azure_blob_container(  # noqa: PLR0913, PLR0917 - Azure ML's keywords
    workspace: Workspace,
    datastore_name: str,
    container_name: str,
    account_name: str,
    sas_token: str | None = None,
    account_key: str | None = None,
    protocol: str | None = None,
    endpoint: str | None = None,
    overwrite: bool = False,
    create_if_not_exists: bool = False,
    skip_validation: bool = False,  # noqa: ARG001 - a probe always looks
    blob_cache_timeout: int | None = None,  # noqa: ARG001 - there is no such cache
    grant_workspace_access: bool = False,  # noqa: ARG001 - roles are the cluster's business
    subscription_id: str | None = None,  # noqa: ARG001
    resource_group: str | None = None,  # noqa: ARG001
) -> Datastore:
    """Make a Datastore of a container. The credential goes into a Secret, written as the user.

    A shared access signature wins over a key; with neither, movers use their pod's own identity. A probe looks whether
    it can be entered. Where it is cannot change later: `overwrite` renews the credential.
    """
    # Only here: the two know each other.
    from towpath.datastore import Datastore  # noqa: PLC0415

    if create_if_not_exists:
        raise DefinitionError(
            "create_if_not_exists: the container must be there; make it with Azure's own tools."
        )
    object_name = _free_name(workspace.backend, datastore_name, overwrite)
    location = _location(account_name, container_name, protocol, endpoint)
    secret = _secret(f"{object_name}-azure-blob", sas_token, account_key)
    if secret is not None:
        workspace.backend.apply(secret)
        location["credentialsSecretRef"] = {"name": secret["metadata"]["name"]}
    metadata = {"name": object_name, "annotations": {names.GIVEN_NAME_ANNOTATION: datastore_name}}
    manifest = {"apiVersion": names.API_VERSION, "kind": "Datastore", "metadata": metadata}
    return Datastore.of(workspace, workspace.backend.apply({**manifest, "spec": {"azureBlob": location}}))


def _free_name(backend: Backend, given: str, overwrite: bool) -> str:
    """The object's name; AlreadyExistsError where there is one that is not to be renewed."""
    object_name = names.object_name(given)
    if object_name != given:
        warn(f"The object of {given} is named {object_name}; both names find it.", repr(object_name))
    if backend.get(Kind.DATASTORE, object_name) is not None and not overwrite:
        raise AlreadyExistsError(f"There is a Datastore {given}: overwrite=True renews its credential.")
    return object_name


def _location(account: str, container: str, protocol: str | None, endpoint: str | None) -> dict[str, Any]:
    location: dict[str, Any] = {"account": account, "container": container}
    if endpoint is not None or protocol is not None:
        location["endpoint"] = f"{protocol or 'https'}://{account}.blob.{endpoint or _PUBLIC}"
    return location


def _secret(name: str, sas_token: str | None, account_key: str | None) -> dict[str, Any] | None:
    if sas_token:
        content = {"AZURE_STORAGE_SAS_TOKEN": sas_token}
    elif account_key:
        content = {"AZURE_STORAGE_ACCOUNT_KEY": account_key}
    else:
        return None
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": content}
