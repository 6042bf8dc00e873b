"""`register_azure_blob_container`: a Datastore, a Secret beside it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sdk.place import article_workspace, memory
from towpath import AlreadyExistsError, CanonicalFormWarning, Datastore, DefinitionError
from towpath.backend import Kind


def test_a_container_becomes_a_datastore_whose_credential_is_a_secret() -> None:
    workspace = article_workspace()
    with pytest.warns(CanonicalFormWarning, match="named my-blobs"):
        made = Datastore.register_azure_blob_container(
            workspace, "my_blobs", "data", "account", sas_token="sv=1", account_key="key", protocol="http"
        )
    found: Any = memory(workspace).get(Kind.DATASTORE, "my-blobs")
    assert found["spec"]["azureBlob"] == {
        "account": "account",
        "container": "data",
        "endpoint": "http://account.blob.core.windows.net",
        "credentialsSecretRef": {"name": "my-blobs-azure-blob"},
    }
    secret: Any = memory(workspace).objects["Secret", "my-blobs-azure-blob"]
    assert secret["stringData"] == {"AZURE_STORAGE_SAS_TOKEN": "sv=1"}
    assert made.object_name == "my-blobs"


def test_a_datastore_that_is_there_is_only_renewed_where_that_is_said() -> None:
    workspace = article_workspace()
    again = ("default", "data", "account")
    with pytest.raises(AlreadyExistsError, match="overwrite=True"):
        Datastore.register_azure_blob_container(workspace, *again)
    Datastore.register_azure_blob_container(workspace, *again, account_key="key", overwrite=True)
    secret: Any = memory(workspace).objects["Secret", "default-azure-blob"]
    assert secret["stringData"] == {"AZURE_STORAGE_ACCOUNT_KEY": "key"}
    with pytest.raises(DefinitionError, match="the container must be there"):
        Datastore.register_azure_blob_container(
            workspace, "more", "data", "account", create_if_not_exists=True
        )
