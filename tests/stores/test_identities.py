"""As whom a store is entered: each way of each kind, against servers; what cannot be used is named, never shown."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from Crypto.PublicKey import RSA

from mover.answering import answering
from mover.pods import UNREACHABLE
from stores.gcs_server import gcs_server
from stores.places import Place
from stores.servers import Certificate, make_certificate, sas_token, service_account_key
from stores.token_servers import amazon_credentials, azure_token, refusing_proxy, token_server
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.stores import PROBE, Store

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

CLIENT = {"AZURE_CLIENT_ID": "a-client", "AZURE_CLIENT_SECRET": "its-secret", "AZURE_TENANT_ID": "a-tenant"}


def opened(place: Place, tmp_path: Path, secret: Mapping[str, str] | None) -> Store:
    return replace(place.fresh(), secret=secret).open(tmp_path, PROBE)


def refusal(action: Callable[[], object]) -> MoverFailure:
    with pytest.raises(MoverFailure) as raised:
        action()
    return raised.value


def works(store: Store) -> bool:
    """Whether what movers do can be done."""
    store.try_list()
    store.write("folder/a", b"one")
    read, listed = (
        bytes(store.read("folder/a").whole()),
        [found.key for found in store.list_objects("folder/")],
    )
    store.delete("folder/a")
    return (read, listed) == (b"one", ["folder/a"])


def test_azure_is_entered_by_a_shared_access_signature_over_https(
    azurite_https: Place, tmp_path: Path
) -> None:
    store = opened(azurite_https, tmp_path, {"AZURE_STORAGE_SAS_TOKEN": sas_token()})
    assert works(store)
    assert store.identity == "the shared access signature of Secret 'keys'"


def test_azure_is_entered_by_a_client_and_its_secret(
    azurite_https: Place, certificate: Certificate, tmp_path: Path
) -> None:
    with token_server(azure_token(), certificate.context) as authority:
        store = opened(azurite_https, tmp_path, CLIENT | {"AZURE_AUTHORITY_HOST": authority.address + "/"})
        assert works(store)
    assert {path for path, _, _ in authority.asked} == {"/a-tenant/oauth2/v2.0/token"}
    assert "client_secret=its-secret" in authority.asked[0][1]
    assert store.identity == "client 'a-client' of Secret 'keys'"


def test_azure_is_entered_as_the_pod_where_there_is_no_secret(
    azurite_https: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with token_server(azure_token()) as metadata:
        monkeypatch.setenv("IDENTITY_ENDPOINT", metadata.address + "/token")
        store = opened(azurite_https, tmp_path, None)
        assert works(store)
    assert "the pod's own identity" in store.identity


def test_azure_is_entered_as_a_pod_with_a_federated_token(
    azurite_https: Place, certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the webhook of Azure's workload identity sets them.
    (tmp_path / "federated").write_text("a-token-of-the-pod")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "federated"))
    monkeypatch.setenv("AZURE_CLIENT_ID", "the-pod")
    monkeypatch.setenv("AZURE_TENANT_ID", "its-tenant")
    with token_server(azure_token(), certificate.context) as authority:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", authority.address)
        store = opened(azurite_https, tmp_path, None)
        assert works(store)
    assert {path for path, _, _ in authority.asked} == {"/its-tenant/oauth2/v2.0/token"}
    assert "client_assertion=a-token-of-the-pod" in authority.asked[0][1]
    assert "the pod's own identity" in store.identity


def test_google_is_entered_as_the_pod_where_there_is_no_secret(
    gcs: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gcs_server("none") as metadata:
        monkeypatch.setenv("GCE_METADATA_HOST", metadata.endpoint.removeprefix("http://"))
        assert works(opened(gcs, tmp_path, None))


def test_s3_is_entered_as_the_pod_where_there_is_no_secret(
    seaweedfs: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seaweedfs.secret
    (tmp_path / "token").write_text("of-the-pod")
    with token_server(amazon_credentials(*seaweedfs.secret.values())) as agent:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.address + "/v1/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        assert works(opened(seaweedfs, tmp_path, None))
    assert {(path, token) for path, _, token in agent.asked} == {("/v1/credentials", "of-the-pod")}


@pytest.mark.parametrize("secret", [{"AZURE_STORAGE_SAS_TOKEN": "SAS"}, CLIENT], ids=["sas", "client"])
def test_an_identity_of_the_pod_is_never_used_for_a_datastore_with_a_secret(
    azurite_https: Place,
    certificate: Certificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    secret: Mapping[str, str],
) -> None:
    # As Azure's webhook sets them; the client prefers them to both.
    (tmp_path / "federated").write_text("a-token-of-the-pod")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "federated"))
    monkeypatch.setenv("AZURE_CLIENT_ID", "the-pod")
    monkeypatch.setenv("AZURE_TENANT_ID", "its-tenant")
    with token_server(azure_token(), certificate.context) as authority:
        given = {key: sas_token() if value == "SAS" else value for key, value in secret.items()}
        assert works(opened(azurite_https, tmp_path, given | {"AZURE_AUTHORITY_HOST": authority.address}))
    assert not any("a-token-of-the-pod" in body or "its-tenant" in path for path, body, _ in authority.asked)


def test_a_session_token_travels_with_each_request_and_is_signed(tmp_path: Path) -> None:
    secret = {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "for-an-hour"}
    with answering() as server:
        place = Place("s3", {"bucket": "any", "endpoint": server.endpoint, "prefix": ""}, server, secret)  # type: ignore[arg-type]
        store = place.open(tmp_path, PROBE)
        store.write("a", b"1")
        store.try_list()
        list(store.list_objects(""))
        store.delete("a")
    assert len(server.asked) >= 4
    for headers in server.asked:
        assert headers["x-amz-security-token"] == "for-an-hour"
        assert "x-amz-security-token" in headers["authorization"]


def test_a_session_token_that_the_store_does_not_know_is_refused_by_name(
    seaweedfs: Place, tmp_path: Path
) -> None:
    store = opened(seaweedfs, tmp_path, {**(seaweedfs.secret or {}), "AWS_SESSION_TOKEN": "an-old-token"})
    failed = refusal(store.try_list)
    assert failed.reason is Reason.CREDENTIALS_REFUSED
    assert "an-old-token" not in failed.message


@pytest.mark.parametrize(
    ("bucket", "host"),
    [
        ("ml-data", "ml-data.s3.eu-central-1.amazonaws.com:443"),
        ("ml.data", "s3.eu-central-1.amazonaws.com:443"),
    ],
)
def test_a_bucket_of_aws_is_part_of_the_hosts_name_unless_its_certificate_would_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: str, host: str
) -> None:
    secret = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}
    location = {"bucket": bucket, "region": "eu-central-1", "prefix": ""}
    with refusing_proxy() as (address, asked):
        monkeypatch.setenv("HTTPS_PROXY", address)
        store = Place("s3", location, None, secret).open(tmp_path, PROBE)  # type: ignore[arg-type]
        refusal(store.try_list)
    assert set(asked) == {host}


WRONG_KEY = base64.b64encode(b"another key").decode()


@pytest.mark.parametrize(
    "secret", [{"AZURE_STORAGE_ACCOUNT_KEY": WRONG_KEY}, {"AZURE_STORAGE_SAS_TOKEN": sas_token(WRONG_KEY)}]
)
def test_what_azure_does_not_accept_is_refused_by_name(
    azurite_https: Place, tmp_path: Path, secret: Mapping[str, str]
) -> None:
    store = opened(azurite_https, tmp_path, secret)
    for action in (store.try_list, lambda: list(store.list_objects("")), lambda: store.write("a", b"")):
        failed = refusal(action)
        assert failed.reason in (Reason.CREDENTIALS_REFUSED, Reason.PERMISSION_DENIED)
        assert store.identity in failed.message
        # It differs from one request to the next, and the condition would with it.
        assert "RequestId" not in failed.message
        assert not any(value.strip("?") in failed.message for value in secret.values())


def test_a_client_that_azure_does_not_know_is_refused_by_name(
    azurite_https: Place, certificate: Certificate, tmp_path: Path
) -> None:
    said = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    with token_server(said, certificate.context, status=401) as authority:
        store = opened(azurite_https, tmp_path, CLIENT | {"AZURE_AUTHORITY_HOST": authority.address})
        failed = refusal(store.try_list)
    assert failed.reason is Reason.CREDENTIALS_REFUSED
    assert "its-secret" not in failed.message


@pytest.mark.parametrize(
    ("authority", "reason", "words"),
    [
        ("https://nowhere.invalid", Reason.ENDPOINT_NOT_FOUND, "that address's host name is not known"),
        (
            UNREACHABLE.replace("http", "https"),
            Reason.ENDPOINT_UNREACHABLE,
            "nothing accepts connections at that",
        ),
    ],
)
def test_who_gives_no_token_is_named_and_not_the_endpoint(
    azurite_https: Place, tmp_path: Path, authority: str, reason: Reason, words: str
) -> None:
    store = opened(azurite_https, tmp_path, CLIENT | {"AZURE_AUTHORITY_HOST": authority})
    failed = refusal(store.try_list)
    assert (failed.reason, failed.exit) == (reason, Exit.TRY_AGAIN)
    assert f"the identity is asked for at {authority}: " in failed.message
    assert words in failed.message
    assert "AZURE_AUTHORITY_HOST" in failed.message
    assert "the endpoint" not in failed.message


def test_an_agent_that_gives_a_pod_no_credentials_is_named_and_not_the_endpoint(
    seaweedfs: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("of-the-pod")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{UNREACHABLE}/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    failed = refusal(opened(seaweedfs, tmp_path, None).try_list)
    assert failed.reason is Reason.ENDPOINT_UNREACHABLE
    assert (
        f"the identity is asked for at {UNREACHABLE}: nothing accepts connections at that address"
        in failed.message
    )


def test_a_service_account_that_google_does_not_know_is_refused_by_name(gcs: Place, tmp_path: Path) -> None:
    key = service_account_key(RSA.generate(2048))
    store = opened(gcs, tmp_path, {"GOOGLE_SERVICE_ACCOUNT_KEY": key})
    for action in (store.try_list, lambda: list(store.list_objects(""))):
        failed = refusal(action)
        assert failed.reason is Reason.CREDENTIALS_REFUSED
        assert "service account 'mover@towpath.example' of Secret 'keys'" in failed.message


@pytest.mark.parametrize(
    ("kind", "secret", "reason", "words"),
    [
        ("azurite", {}, Reason.CREDENTIALS_MISSING, "AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_SAS_TOKEN"),
        ("azurite", {"AZURE_CLIENT_ID": "a"}, Reason.CREDENTIALS_MISSING, "and AZURE_TENANT_ID"),
        ("azurite", {"AZURE_STORAGE_ACCOUNT_KEY": "s3cr3t!"}, Reason.CREDENTIALS_REFUSED, "not Base64"),
        ("azurite", {"AZURE_STORAGE_SAS_TOKEN": "sv=1 2"}, Reason.CREDENTIALS_REFUSED, "SAS_TOKEN"),
        ("azurite", {"AZURE_STORAGE_SAS_TOKEN": "sv=1"}, Reason.ENDPOINT_INVALID, "plain HTTP"),
        ("azurite", CLIENT, Reason.ENDPOINT_INVALID, "plain HTTP"),
        (
            "azurite_https",
            CLIENT | {"AZURE_AUTHORITY_HOST": "http://login"},
            Reason.ENDPOINT_INVALID,
            "plain HTTP",
        ),
        ("azurite_https", CLIENT | {"AZURE_AUTHORITY_HOST": "login"}, Reason.ENDPOINT_INVALID, "HOST of Sec"),
        ("gcs", {}, Reason.CREDENTIALS_MISSING, "GOOGLE_SERVICE_ACCOUNT_KEY"),
        ("gcs", {"GOOGLE_SERVICE_ACCOUNT_KEY": "s3cr3t"}, Reason.CREDENTIALS_REFUSED, "JSON document"),
        ("gcs", {"GOOGLE_SERVICE_ACCOUNT_KEY": "{}"}, Reason.CREDENTIALS_REFUSED, "JSON document"),
        (
            "gcs",
            {
                "GOOGLE_SERVICE_ACCOUNT_KEY": '{"client_email":"a","private_key":"s3cr3t","private_key_id":"b"}'
            },
            Reason.CREDENTIALS_REFUSED,
            "JSON document",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_is_named_before_anything_is_sent(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    kind: str,
    secret: Mapping[str, str],
    reason: Reason,
    words: str,
) -> None:
    place: Place = request.getfixturevalue(kind)
    failed = refusal(lambda: opened(place, tmp_path, secret))
    assert (failed.reason, words in failed.message) == (reason, True), failed.message
    assert "Secret 'keys'" in failed.message
    assert not any(value in failed.message for value in ("s3cr3t", "its-secret", "sv=1"))


def test_a_key_of_google_does_not_travel_over_plain_http(gcs: Place, tmp_path: Path) -> None:
    plain = gcs.elsewhere(endpoint="http://127.0.0.1:1")
    assert refusal(lambda: plain.open(tmp_path, PROBE)).reason is Reason.ENDPOINT_INVALID


@pytest.mark.parametrize("kind", ["azurite_https", "gcs"])
def test_a_server_of_an_unknown_authority_is_not_trusted(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    place: Place = request.getfixturevalue(kind)
    other = make_certificate(tmp_path / "other").ca.read_bytes()
    store = replace(place.fresh(), ca=other).open(tmp_path, PROBE)
    for action in (store.try_list, lambda: list(store.list_objects("")), lambda: store.write("a", b"1")):
        assert refusal(action).reason is Reason.CERTIFICATE_NOT_TRUSTED


@pytest.mark.parametrize("kind", ["azurite_https", "gcs"])
@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_an_authority_that_cannot_be_read_is_named(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, content: bytes
) -> None:
    place: Place = request.getfixturevalue(kind)
    failed = refusal(lambda: replace(place, ca=content or b"\n").open(tmp_path, PROBE))
    assert failed.reason is Reason.CERTIFICATE_NOT_TRUSTED
    assert "ca.crt in ConfigMap 'ca'" in failed.message
