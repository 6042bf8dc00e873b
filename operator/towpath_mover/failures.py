"""What ends a mover on purpose: a reason, a sentence for the one who is woken, and by the reason an exit code.

Everything else that rises is a bug and ends the process with Python's own code.
"""

from __future__ import annotations

from enum import StrEnum

from towpath_mover.exits import Exit


class Reason(StrEnum):
    """Why a mover stopped: one word per kind of failure, shown to the user as the reason."""

    STORE_UNAVAILABLE = "StoreUnavailable"
    NO_ANSWER = "NoAnswer"
    ENDPOINT_INVALID = "EndpointInvalid"
    ENDPOINT_NOT_FOUND = "EndpointNotFound"
    ENDPOINT_UNREACHABLE = "EndpointUnreachable"
    CERTIFICATE_NOT_TRUSTED = "CertificateNotTrusted"
    WRONG_REGION = "WrongRegion"
    BUCKET_NOT_FOUND = "BucketNotFound"
    OBJECT_NOT_FOUND = "ObjectNotFound"
    OWNED_ELSEWHERE = "OwnedElsewhere"
    STORE_REFUSED = "StoreRefused"
    STORE_FULL = "StoreFull"
    READ_ONLY = "ReadOnly"
    RESERVED_PATH = "ReservedPath"
    OTHER_BYTES = "OtherBytes"
    CREDENTIALS_MISSING = "CredentialsMissing"
    CREDENTIALS_REFUSED = "CredentialsRefused"
    CLOCK_SKEWED = "ClockSkewed"
    PERMISSION_DENIED = "PermissionDenied"
    INPUT_DRIFT = "InputDrift"
    OUTPUT_CHANGED = "OutputChanged"
    DISK_FULL = "DiskFull"
    DISK_REFUSED = "DiskRefused"
    UNSAFE_PATH = "UnsafePath"
    UNDECODABLE_NAME = "UndecodableName"
    DUPLICATE_PATH = "DuplicatePath"
    FILE_AND_FOLDER = "FileAndFolder"
    INVENTORY_INVALID = "InventoryInvalid"
    INVENTORY_VERSION_UNKNOWN = "InventoryVersionUnknown"
    INVENTORY_UNSORTED = "InventoryUnsorted"
    INVENTORY_TRUNCATED = "InventoryTruncated"
    VIEW_REFUSED = "ViewRefused"
    MOUNT_EMPTY = "MountEmpty"
    MOUNT_INCOMPLETE = "MountIncomplete"
    MOUNT_UNREADABLE = "MountUnreadable"
    MOUNT_HANGS = "MountHangs"
    MOUNT_LOST = "MountLost"
    CODE_DRIFT = "CodeDrift"
    PLAN_DRIFT = "PlanDrift"
    EMPTY_INPUT = "EmptyInput"
    NOT_PUBLISHED = "NotPublished"
    STEP_TIMED_OUT = "StepTimedOut"
    OUTPUT_MISSING = "OutputMissing"
    OUTPUT_EMPTY = "OutputEmpty"
    EXPORT_TAKEN = "ExportTaken"
    OUTPUT_WRONG_KIND = "OutputWrongKind"
    UNSAFE_FILE = "UnsafeFile"
    UNREADABLE_FILE = "UnreadableFile"
    SOURCE_NOT_FOUND = "SourceNotFound"
    UNSAFE_KEY = "UnsafeKey"
    URL_REFUSED = "UrlRefused"
    URL_UNAVAILABLE = "UrlUnavailable"
    URL_CHANGED = "UrlChanged"
    ARCHIVE_INVALID = "ArchiveInvalid"
    ARCHIVE_TRUNCATED = "ArchiveTruncated"
    ARCHIVE_TOO_LARGE = "ArchiveTooLarge"
    ARCHIVE_ENCRYPTED = "ArchiveEncrypted"
    ARCHIVE_LINK = "ArchiveLink"
    ARCHIVE_DEVICE = "ArchiveDevice"
    PARTITION_MISMATCH = "PartitionMismatch"
    BAD_ROW = "BadRow"
    HEADER_MISMATCH = "HeaderMismatch"
    ROWS_TOO_LARGE = "RowsTooLarge"
    PACKAGE_MISSING = "PackageMissing"


_EXITS = {
    Reason.STORE_UNAVAILABLE: Exit.TRY_AGAIN,
    Reason.NO_ANSWER: Exit.TRY_AGAIN,
    Reason.ENDPOINT_NOT_FOUND: Exit.TRY_AGAIN,
    Reason.ENDPOINT_UNREACHABLE: Exit.TRY_AGAIN,
    Reason.DISK_REFUSED: Exit.TRY_AGAIN,
    Reason.OTHER_BYTES: Exit.TRY_AGAIN,
    Reason.URL_UNAVAILABLE: Exit.TRY_AGAIN,
    Reason.URL_CHANGED: Exit.TRY_AGAIN,
    Reason.MOUNT_UNREADABLE: Exit.TRY_AGAIN,
    Reason.MOUNT_HANGS: Exit.TRY_AGAIN,
    Reason.MOUNT_LOST: Exit.TRY_AGAIN,
    Reason.CREDENTIALS_MISSING: Exit.CREDENTIALS_REFUSED,
    Reason.CREDENTIALS_REFUSED: Exit.CREDENTIALS_REFUSED,
    Reason.CLOCK_SKEWED: Exit.CREDENTIALS_REFUSED,
    Reason.PERMISSION_DENIED: Exit.CREDENTIALS_REFUSED,
    Reason.INPUT_DRIFT: Exit.DATA_CHANGED,
    Reason.OUTPUT_CHANGED: Exit.DATA_CHANGED,
    Reason.DISK_FULL: Exit.DISK_FULL,
    Reason.NOT_PUBLISHED: Exit.NOT_PUBLISHED,
    Reason.STEP_TIMED_OUT: Exit.NOT_PUBLISHED,
}


# Packages that the image has, and a laptop only where somebody asked for them.
PACKAGES = frozenset({"obstore", "minio", "pyarrow", "certifi"})


class MoverFailure(Exception):  # noqa: N818 - the word of the design: it is an outcome, not a bug
    """A mover's named end: `reason` for status and metrics, the message for people."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def exit(self) -> Exit:
        """Return the process's exit code: REFUSED for all that only a person can change."""
        return _EXITS.get(self.reason, Exit.REFUSED)


def package_missing(package: str) -> MoverFailure:
    """Return the failure of a mover on a machine that has not all that the image has."""
    message = (
        f"This needs the Python package {package}, which is not installed here. Install what movers need: "
        "pip install 'towpath[mover]'."
    )
    return MoverFailure(Reason.PACKAGE_MISSING, message)
