"""A datastore in rclone's words: by its typed fields only, with credentials nowhere but in the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.space import Space
from mover.transfers import write_secret
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.mount_words import failed_reads, ready_to_show
from towpath_mover.mounted import without_tokens
from towpath_mover.rclone import MountSettings, Remote, mount_command, remote_of
from towpath_mover.stores import Datastore, Kind, Places

KEY = "c2VjcmV0LWFjY291bnQta2V5"
SETTINGS = MountSettings(Path("/towpath/fuse/mounts/lake"), Path("/cache"), 0)


def lake(kind: Kind, keys: str | None = "keys", **location: Any) -> Datastore:
    prefix = location.pop("prefix", "raw/2026/")
    return Datastore("lake", kind, location, prefix, keys, None, False)


def places(folder: Path, **values: str) -> Places:
    keys = folder / "credentials/lake"
    keys.mkdir(parents=True)
    for name, value in values.items():
        (keys / name).write_text(value)
    return Places(folder / "credentials", folder / "ca", folder / "volumes")


S3_KEYS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret"}


def test_a_bucket_of_a_server_that_speaks_s3(tmp_path: Path) -> None:
    datastore = lake(Kind.S3, bucket="data", endpoint="http://store:9000", region="eu-1")
    remote = remote_of(datastore, places(tmp_path, **S3_KEYS, AWS_SESSION_TOKEN="a-token"))
    assert remote.path == "store:data/raw/2026/"
    assert remote.environment == {
        "RCLONE_CONFIG_STORE_TYPE": "s3",
        "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_ENDPOINT": "http://store:9000",
        "RCLONE_CONFIG_STORE_REGION": "eu-1",
        "RCLONE_CONFIG_STORE_FORCE_PATH_STYLE": "true",
        "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET": "true",
        "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": "an-id",
        "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": "a-secret",
        "RCLONE_CONFIG_STORE_SESSION_TOKEN": "a-token",
    }
    command = mount_command(remote, SETTINGS, datastore, Places())
    assert command[:4] == ["rclone", "mount", remote.path, "/towpath/fuse/mounts/lake"]
    assert {"--read-only", "--allow-other", "--config=", "--vfs-cache-mode=off"} < set(command)
    assert not any(secret in word for secret in ("an-id", "a-secret", "a-token") for word in command)


def test_of_amazon_without_a_secret_the_pod_s_own_identity_is_used(tmp_path: Path) -> None:
    remote = remote_of(lake(Kind.S3, keys=None, bucket="data", prefix=""), places(tmp_path))
    assert remote.path == "store:data/"
    told = {name.removeprefix("RCLONE_CONFIG_STORE_"): text for name, text in remote.environment.items()}
    assert (told["PROVIDER"], told["ENV_AUTH"], told["FORCE_PATH_STYLE"]) == ("AWS", "true", "false")


AZURE: dict[str, Any] = {"account": "acc", "container": "raw"}


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ({"AZURE_STORAGE_ACCOUNT_KEY": KEY}, {"KEY": KEY}),
        (
            {"AZURE_CLIENT_ID": "me", "AZURE_CLIENT_SECRET": "pass", "AZURE_TENANT_ID": "us"},
            {"CLIENT_ID": "me", "CLIENT_SECRET": "pass", "TENANT": "us"},
        ),
        (
            {"AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=s"},
            {"SAS_URL": "https://acc.blob.core.windows.net/raw?sv=1&sig=s"},
        ),
    ],
)
def test_a_container_of_azure_by_each_kind_of_secret(
    tmp_path: Path, secret: dict[str, str], told: dict[str, str]
) -> None:
    remote = remote_of(lake(Kind.AZURE_BLOB, **AZURE), places(tmp_path, **secret))
    where = {"ACCOUNT": "acc", "ENDPOINT": "https://acc.blob.core.windows.net"}
    expected = {"TYPE": "azureblob"} | ({} if "SAS_URL" in told else where) | told
    assert remote.environment == {f"RCLONE_CONFIG_STORE_{name}": text for name, text in expected.items()}
    assert remote.path == "store:raw/raw/2026/"
    assert set(secret.values()) <= set(remote.secret.values())


def test_a_bucket_of_google_by_a_key_document_of_which_only_who_it_is_counts(tmp_path: Path) -> None:
    """The key is one that this test makes."""
    made = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
    who = {"client_email": "me@x", "private_key": made, "private_key_id": "1"}
    document = json.dumps({**who, "token_uri": "https://elsewhere"})
    remote = remote_of(lake(Kind.GCS, bucket="data"), places(tmp_path, GOOGLE_SERVICE_ACCOUNT_KEY=document))
    told = json.loads(remote.environment["RCLONE_CONFIG_STORE_SERVICE_ACCOUNT_CREDENTIALS"])
    assert told == {"type": "service_account", **who}
    nobody = remote_of(lake(Kind.GCS, keys=None, bucket="data", endpoint="http://here"), Places())
    assert nobody.environment["RCLONE_CONFIG_STORE_ANONYMOUS"] == "true"
    pod = remote_of(lake(Kind.GCS, keys=None, bucket="data"), Places())
    assert pod.environment["RCLONE_CONFIG_STORE_ENV_AUTH"] == "true"


@pytest.mark.parametrize(
    ("datastore", "needed"),
    [
        (lake(Kind.S3, bucket="data"), "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (lake(Kind.AZURE_BLOB, **AZURE), "AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_SAS_TOKEN"),
        (lake(Kind.GCS, bucket="data"), "GOOGLE_SERVICE_ACCOUNT_KEY"),
    ],
)
def test_a_secret_without_its_keys_is_named(tmp_path: Path, datastore: Datastore, needed: str) -> None:
    with pytest.raises(MoverFailure, match=needed) as raised:
        remote_of(datastore, places(tmp_path))
    assert raised.value.reason is Reason.CREDENTIALS_MISSING


def test_a_signature_never_travels_where_everybody_can_read_it(tmp_path: Path) -> None:
    datastore = lake(Kind.AZURE_BLOB, **AZURE, endpoint="http://here:10000/acc")
    with pytest.raises(MoverFailure, match="AZURE_STORAGE_SAS_TOKEN"):
        remote_of(datastore, places(tmp_path, AZURE_STORAGE_SAS_TOKEN="sv=1&sig=s"))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40))
def test_no_prefix_becomes_an_option_or_another_remote(prefix: str) -> None:
    datastore = lake(Kind.S3, keys=None, bucket="data", prefix=prefix)
    command = mount_command(remote_of(datastore, Places()), SETTINGS, datastore, Places())
    assert command[2].startswith("store:data/")
    assert command[3] == str(SETTINGS.place)
    others = mount_command(Remote("store:data/", {}, {}), SETTINGS, datastore, Places())
    assert command[4:] == others[4:]


def test_a_cache_has_its_bound_and_certificates_their_file() -> None:
    datastore = lake(Kind.S3, bucket="data")._replace(ca_config_map="ca")
    cached = SETTINGS._replace(cache_bytes=5 << 30)
    command = mount_command(Remote("store:data/", {}, {}), cached, datastore, Places())
    assert f"--vfs-cache-max-size={5 << 30}B" in command
    assert "--ca-cert=/towpath/ca/lake/ca.crt" in command


@pytest.mark.server
def test_rclone_takes_every_option_and_lists_what_is_there(local_s3: Space, tmp_path: Path) -> None:
    local_s3.put("raw/2026/a b.csv", b"a")
    s3 = local_s3.s3
    write_secret(tmp_path / "credentials/lake", s3.admin)
    datastore = lake(
        Kind.S3, bucket=s3.bucket, endpoint=s3.endpoint, region=s3.region, prefix=f"{local_s3.prefix}raw/"
    )
    remote = remote_of(datastore, Places(tmp_path / "credentials"))
    rclone = str(Path(sys.executable).with_name("rclone"))
    environment = {**os.environ, **remote.environment}
    listed = subprocess.run(
        [rclone, "lsf", "-R", "--config=", remote.path], env=environment, capture_output=True, check=True
    )
    assert sorted(listed.stdout.decode().splitlines()) == ["2026/", "2026/a b.csv"]
    known = subprocess.run([rclone, "mount", "--help"], capture_output=True, text=True, check=True).stdout
    known += subprocess.run([rclone, "help", "flags"], capture_output=True, text=True, check=True).stdout
    with_cache = SETTINGS._replace(cache_bytes=1)
    for settings in (SETTINGS, with_cache):
        for word in mount_command(remote, settings, datastore._replace(ca_config_map="ca"), Places())[4:]:
            assert f"{word.partition('=')[0]} " in known, word


@pytest.mark.parametrize(
    ("line", "words", "failed"),
    [
        (
            '{"level":"error","msg":"IO error: operation error S3: GetObject","source":"x"}',
            "IO error: operation error S3: GetObject",
            "a read failed: operation error S3: GetObject",
        ),
        (
            '{"msg":"ReadFileHandle.Read error: low level retry 1/4: refused","object":"big"}',
            "big: ReadFileHandle.Read error: low level retry 1/4: refused",
            None,
        ),
        ('{"msg":"IO error: stream abandoned"}', "IO error: stream abandoned", None),
        ("Fatal error: unknown flag", "Fatal error: unknown flag", None),
        ("[1]", "[1]", None),
    ],
)
def test_of_what_rclone_says_only_a_read_that_failed_is_a_loss(
    line: str, words: str, failed: str | None
) -> None:
    assert (ready_to_show(f"{line}\n"), failed_reads(words)) == (words, failed)


def test_a_signature_is_taken_out_of_a_url_that_was_put_together_anew() -> None:
    said = 'Get "https://acc.blob.core.windows.net/raw?comp=list&sig=s%3D&sv=1": dial tcp: no such host'
    assert without_tokens(said) == said.replace("sig=s%3D", "sig=…")
