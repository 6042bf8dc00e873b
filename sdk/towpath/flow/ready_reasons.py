"""The documented reasons of the condition Ready: of Datastores, Datasets and Pipelines."""

from __future__ import annotations

from towpath.flow.conditions import Reason


class DatastoreReason(Reason):
    """Reasons of a Datastore's condition Ready. A probe's own reason is one of the second half."""

    READY = "Ready", "A probe listed, wrote, read back and deleted an object (listed, where readOnly)."
    PROBING = "Probing", "A probe is under way."
    PROBE_FAILED = "ProbeFailed", "The probe could not be run, or ended without a report."
    NOT_SUPPORTED_YET = "NotSupportedYet", "A field is used that this release does not honour; it is named."
    CREDENTIALS_MISSING = "CredentialsMissing", "The Secret, or a key in it, does not exist."
    CREDENTIALS_REFUSED = "CredentialsRefused", "The store does not accept the credentials."
    CLOCK_SKEWED = "ClockSkewed", "The clock of the mover's node differs too much from the store's."
    PERMISSION_DENIED = "PermissionDenied", "The credentials may not do what a mover has to do."
    BUCKET_NOT_FOUND = "BucketNotFound", "The bucket or container does not exist."
    WRONG_REGION = (
        "WrongRegion",
        "The bucket is in another region; the message names it where the store does.",
    )
    ENDPOINT_INVALID = "EndpointInvalid", "The endpoint is not a URL that can be used."
    ENDPOINT_NOT_FOUND = "EndpointNotFound", "The endpoint's name does not resolve."
    ENDPOINT_UNREACHABLE = (
        "EndpointUnreachable",
        "Nothing accepts connections there: address, port or network.",
    )
    NO_ANSWER = "NoAnswer", "The endpoint takes connections, and does not answer in time."
    CERTIFICATE_NOT_TRUSTED = (
        "CertificateNotTrusted",
        "The endpoint's certificate is not trusted, has expired, or is for another host.",
    )
    VOLUME_UNAVAILABLE = (
        "VolumeUnavailable",
        "The claim is missing or unbound, or its volume cannot be mounted; in the scheduler's or kubelet's words.",
    )
    READ_ONLY = "ReadOnly", "The volume can only be read, and the Datastore does not say readOnly."
    OWNED_ELSEWHERE = (
        "OwnedElsewhere",
        "Another cluster writes there; the message says which, and what to do.",
    )
    STORE_FULL = "StoreFull", "The store or volume has no room left."
    STORE_REFUSED = "StoreRefused", "The store refused a request; the message has its words."
    STORE_UNAVAILABLE = "StoreUnavailable", "The store answers with errors of its own."


class DatasetReason(Reason):
    """Reasons of a Dataset's condition Ready."""

    READY = "Ready", "The latest version can be used."
    NO_VERSION = "NoVersion", "It has no sources and no run has registered a version yet."
    TAKING_INVENTORY = "TakingInventory", "Its sources are being listed."
    NOT_SUPPORTED_YET = "NotSupportedYet", "A field is used that this release does not honour; it is named."
    DATASTORE_NOT_READY = "DatastoreNotReady", "A Datastore that it names is missing or not Ready."
    SOURCE_NOT_FOUND = "SourceNotFound", "A source's path, URL or entryGlob leads to nothing."
    UNSAFE_KEY = "UnsafeKey", "A source has an object whose key cannot be a file's path."
    DUPLICATE_PATH = "DuplicatePath", "Two files have one path; the message names both sources."
    FILE_AND_FOLDER = "FileAndFolder", "A file's path is also the folder of another file."
    UNSAFE_PATH = "UnsafePath", "A URL or an entry of an archive has a path that cannot be a file's."
    UNDECODABLE_NAME = "UndecodableName", "An entry of an archive has a name that is not UTF-8."
    PARTITION_MISMATCH = (
        "PartitionMismatch",
        "A file's path does not fit its source's partitionFormat, or that can never be used.",
    )
    BAD_ROW = "BadRow", "A file of a Tabular dataset has a row that is none; the message says where."
    HEADER_MISMATCH = (
        "HeaderMismatch",
        "Two files of a Tabular dataset have other columns; the message says which.",
    )
    ROWS_TOO_LARGE = (
        "RowsTooLarge",
        "A Parquet file needs more memory to be read than a mover has; the message says what to do.",
    )
    URL_REFUSED = "UrlRefused", "A URL answers in a way that cannot be used; the message says what to change."
    URL_UNAVAILABLE = "UrlUnavailable", "A URL goes on answering with errors, not in time, or is cut."
    URL_CHANGED = "UrlChanged", "What a URL gives changed while it was read; it is read again."
    ENDPOINT_NOT_FOUND = "EndpointNotFound", "The host name of a URL or a Datastore does not resolve."
    ENDPOINT_UNREACHABLE = "EndpointUnreachable", "The host of a URL or a Datastore does not answer."
    CERTIFICATE_NOT_TRUSTED = (
        "CertificateNotTrusted",
        "The certificate of a URL or a Datastore is not trusted; caConfigMapRef can name its CA.",
    )
    ARCHIVE_INVALID = "ArchiveInvalid", "An archive is damaged, or not of the type that its source says."
    ARCHIVE_TRUNCATED = "ArchiveTruncated", "An archive was cut."
    ARCHIVE_TOO_LARGE = (
        "ArchiveTooLarge",
        "An archive holds more entries or bytes, or grows more, than it may: a bomb, or a bound to be raised.",
    )
    ARCHIVE_ENCRYPTED = "ArchiveEncrypted", "An entry of an archive is encrypted."
    ARCHIVE_LINK = "ArchiveLink", "An entry of an archive is a symbolic or hard link."
    ARCHIVE_DEVICE = "ArchiveDevice", "An entry of an archive is a device or a FIFO."
    UNSAFE_FILE = "UnsafeFile", "A source on a volume has a link, a FIFO, a socket or a device."
    READ_ONLY = (
        "ReadOnly",
        "The inventory or a copy cannot be written: the Datastores that are there for it are readOnly.",
    )
    INVENTORY_FAILED = "InventoryFailed", "The inventory could not be taken; the message says why."


class PipelineReason(Reason):
    """Reasons of a Pipeline's condition Ready."""

    READY = "Ready", "Steps and references fit together."
    INVALID_PIPELINE = "InvalidPipeline", "Steps, references or names do not fit together."
    NOT_SUPPORTED_YET = "NotSupportedYet", "A field is used that this release does not honour; it is named."
