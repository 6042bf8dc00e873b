"""By which way a datastore is mounted: the first of its `mount` list that can be gone here; and why not the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from towpath.api.datastore import KINDS_OF_STORE, Datastore
from towpath.api.mounts import CsiMount, FuseSidecar, MountProvider
from towpath.flow.planned_datastores import ClaimMount, InlineCsiMount, PlannedMount, SidecarMount
from towpath.flow.quantities import amount


class Driver(StrEnum):
    """What is known of a CSI driver. UNKNOWN: nobody may look, so it is tried."""

    INLINE = "inline"
    NOT_INLINE = "not inline"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class MountMeans:
    """What a cluster and a namespace have for mounting.

    `drivers` are CSI drivers by name. `sidecar_cache_bytes`: of the FUSE sidecar, None where it is not enabled.
    `pod_security` is the Pod Security level that the namespace enforces, None where it says none or nobody may look.
    """

    drivers: Mapping[str, Driver] = field(default_factory=dict)
    sidecar_cache_bytes: int | None = None
    pod_security: str | None = None


@dataclass(frozen=True)
class PassedOver:
    """A way that cannot be gone here: its name, the reason in a word, and in a sentence."""

    way: str
    reason: str
    why: str

    def __str__(self) -> str:
        return f"{self.way}: {self.reason}, {self.why}"

    def in_short(self) -> str:
        """Way and reason, for a note, which is short."""
        return f"{self.way}: {self.reason}"


@dataclass(frozen=True)
class MountChoice:
    """The way that is gone, None: there is none; and of each way that was asked for before it, why it is not."""

    mount: PlannedMount | None
    passed_over: tuple[PassedOver, ...] = ()


class _CannotError(Exception):
    """This way cannot be gone here."""

    def __init__(self, way: str, reason: str, why: str) -> None:
        super().__init__(why)
        self.passed_over = PassedOver(way, reason, why)


# What a driver might take for something else: the separators of its own options, and a way out of the folder.
_UNFIT = re.compile(r"[^!-~]|[,;\"'\\]|(^|/)\.\.(/|$)")
_VARIABLE = re.compile(r"\{([^{}]*)\}")


def choose_mount(datastore: Datastore, namespace: str, means: MountMeans) -> MountChoice:
    """How a datastore is mounted here: by its own claim, or by the first way of its `mount` list that can be gone."""
    own = datastore.spec.persistent_volume_claim
    if own is not None:
        return MountChoice(ClaimMount(own.claim_name, own.sub_path))
    passed_over: list[PassedOver] = []
    for provider in datastore.spec.mount:
        try:
            return MountChoice(_mount(provider, datastore, namespace, means), tuple(passed_over))
        except _CannotError as cannot:
            passed_over.append(cannot.passed_over)
    return MountChoice(None, tuple(passed_over))


def words_of(mount: PlannedMount) -> str:
    """A way to mount, for the one who reads the run's notes."""
    match mount:
        case ClaimMount():
            return f"persistentVolumeClaim {mount.claim_name}"
        case InlineCsiMount():
            return f"csi {mount.driver}"
        case SidecarMount():
            return "fuseSidecar"


def _mount(provider: MountProvider, datastore: Datastore, namespace: str, means: MountMeans) -> PlannedMount:
    if provider.csi is not None:
        _check_driver(provider.csi.driver, means.drivers.get(provider.csi.driver, Driver.UNKNOWN))
        return _inline(provider.csi, datastore, namespace)
    if provider.fuse_sidecar is not None:
        return _sidecar(provider.fuse_sidecar, means)
    claim = provider.persistent_volume_claim
    assert claim is not None  # noqa: S101 - one of the three is there, by the API's rule
    return ClaimMount(claim.claim_name, claim.sub_path)


def _check_driver(name: str, state: Driver) -> None:
    if state is Driver.MISSING:
        raise _CannotError(f"csi {name}", "DriverNotInstalled", "this cluster has no CSIDriver of that name")
    if state is Driver.NOT_INLINE:
        why = (
            "its CSIDriver does not list Ephemeral among volumeLifecycleModes; let an administrator make a "
            "PersistentVolume, and name its claim"
        )
        raise _CannotError(f"csi {name}", "InlineNotSupported", why)


def _inline(csi: CsiMount, datastore: Datastore, namespace: str) -> InlineCsiMount:
    values = _values(datastore, namespace)
    attributes = {
        name: _filled(csi.driver, name, text, values) for name, text in csi.volume_attributes.items()
    }
    shows_prefix = any("{prefix}" in text for text in csi.volume_attributes.values())
    secret = csi.node_publish_secret_ref.name if csi.node_publish_secret_ref else None
    return InlineCsiMount(
        driver=csi.driver,
        attributes={name: text for name, text in sorted(attributes.items()) if text},
        secret=secret,
        folder="" if shows_prefix else values["prefix"],
    )


def _values(datastore: Datastore, namespace: str) -> dict[str, str]:
    """What stands for the variables of attributes; a bucket is what Azure calls a container."""
    described = datastore.spec.as_dict()
    location = next(described[kind] for kind in KINDS_OF_STORE if kind in described)
    return {
        "bucket": location.get("bucket") or location.get("container") or "",
        "prefix": (location.get("prefix") or "").rstrip("/"),
        "region": location.get("region") or "",
        "endpoint": location.get("endpoint") or "",
        "namespace": namespace,
    }


def _filled(driver: str, name: str, text: str, values: Mapping[str, str]) -> str:
    unknown = [found for found in _VARIABLE.findall(text) if found not in values]
    filled = _VARIABLE.sub(lambda found: values.get(found[1], ""), text)
    if unknown or "{" in filled or "}" in filled:
        known = ", ".join(f"{{{one}}}" for one in values)
        why = f"{name}: {text!r} may hold {known} and no other"
        raise _CannotError(f"csi {driver}", "InvalidAttribute", why)
    if _UNFIT.search(filled):
        why = (
            f"{name} would be {filled!r}: spaces, commas, quotes and `..` are never handed to a driver. Change the "
            "Datastore's prefix, or write the attribute without it"
        )
        raise _CannotError(f"csi {driver}", "InvalidAttribute", why)
    return filled


def _sidecar(asked: FuseSidecar, means: MountMeans) -> SidecarMount:
    if means.sidecar_cache_bytes is None:
        why = "it is privileged, so an administrator must set mounts.fuseSidecar.enabled in Towpath's chart"
        raise _CannotError("fuseSidecar", "NotEnabled", why)
    if means.pod_security in ("baseline", "restricted"):
        why = (
            f"it is privileged, and the namespace enforces {means.pod_security}; it needs a namespace with the label "
            "pod-security.kubernetes.io/enforce: privileged"
        )
        raise _CannotError("fuseSidecar", "PodSecurityForbids", why)
    return SidecarMount(int(amount(asked.cache_size)) if asked.cache_size else means.sidecar_cache_bytes)
