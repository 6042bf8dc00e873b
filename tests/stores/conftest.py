"""One running server per kind of store and session, started when the first test asks for it; a prefix per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.access import S3
from stores import servers
from stores.places import Place, Volume
from stores.programs import VERSITYGW as VERSITYGW_MODULE
from stores.programs import is_built
from stores.servers import Certificate

# Two minutes of building on a new machine are too much for those who wait for all other tests.
VERSITYGW = pytest.param("versitygw", marks=() if is_built(VERSITYGW_MODULE) else pytest.mark.long)
BUCKETS = ("seaweedfs", VERSITYGW, "azurite", "gcs")
KINDS = (*BUCKETS, "volume")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The certificate of every server here that speaks TLS."""
    return servers.make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def seaweedfs(s3_server: S3) -> Place:
    """SeaweedFS: S3 by path style over plain HTTP."""
    return servers.s3_place(s3_server)


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """versitygw: another S3."""
    with servers.versitygw(tmp_path_factory.mktemp("versitygw")) as place:
        yield place


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Azurite over plain HTTP, with the account's key."""
    with servers.azure(tmp_path_factory.mktemp("azurite")) as place:
        yield place


@pytest.fixture(scope="session")
def azurite_https(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Place]:
    """Azurite behind its own TLS."""
    with servers.azure(tmp_path_factory.mktemp("azurite-https"), tls=certificate) as place:
        yield place


@pytest.fixture(scope="session")
def gcs(certificate: Certificate) -> Iterator[Place]:
    """The stand-in for Google Cloud Storage by HTTPS, with the key of a service account."""
    with servers.gcs(certificate) as place:
        yield place


@pytest.fixture(scope="session")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    """A claim's volume."""
    return Volume(tmp_path_factory.mktemp("volumes"))


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Place | Volume:
    """A fresh place in a store of each kind."""
    found: Place | Volume = request.getfixturevalue(request.param)
    return found.fresh()


@pytest.fixture(params=BUCKETS)
def bucket(request: pytest.FixtureRequest) -> Place:
    """A fresh place in a store of each kind that has buckets."""
    found: Place = request.getfixturevalue(request.param)
    return found.fresh()
