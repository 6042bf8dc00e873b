"""What a user's programme may catch: one tree, with Azure ML's names where its users know them.

TowpathError
├── UserErrorException        what the user wrote or named cannot be done: the message says what to change
│   ├── NotFoundError         no such object or file; near names are in the message
│   │   └── UnknownNameError  of a mapping such as `workspace.datasets`; a KeyError too
│   ├── AlreadyExistsError
│   ├── InvalidObjectError    the API's rules refuse the manifest
│   ├── DefinitionError       what a pipeline says cannot be; a ValueError too
│   └── DatasetValidationError, DatasetExecutionError   a dataset's content is not what was said, or cannot be read
├── ActivityFailedException   a run or step failed; the step's last log lines are in the message
├── ChangedError              what was read is not what was recorded, or changed meanwhile
├── WaitTimeoutError          the time given to `wait` is over; the run goes on
├── RunEnvironmentException   a step's script runs outside any step, and was told not to
└── UnreachableError          the cluster or the store does not answer
"""


class TowpathError(Exception):
    """The root: whatever Towpath says to a user's programme."""


class UserErrorException(TowpathError):  # noqa: N818  (Azure ML's name)
    """What the user wrote or named cannot be done."""


class NotFoundError(UserErrorException):
    """What was named is not there."""


class UnknownNameError(NotFoundError, KeyError):
    """A mapping has no such name; the message lists those that it has."""

    def __str__(self) -> str:
        """Give the message as it is: a KeyError would put it into quotes."""
        return Exception.__str__(self)


class AlreadyExistsError(UserErrorException):
    """What was to be made is there already."""


class InvalidObjectError(UserErrorException):
    """The rules of the API refuse the object."""


class DefinitionError(UserErrorException, ValueError):
    """What a pipeline, a step or a dataset says of itself cannot be."""


class DatasetValidationError(UserErrorException):
    """A dataset's content is not what its definition says."""


class DatasetExecutionError(UserErrorException):
    """A dataset cannot be read."""


class ActivityFailedException(TowpathError):  # noqa: N818  (Azure ML's name)
    """A run or a step failed."""


class ChangedError(TowpathError):
    """What was read is not what was recorded, or changed meanwhile."""


class WaitTimeoutError(TowpathError, TimeoutError):
    """The time given to `wait` is over; the run goes on."""


class RunEnvironmentException(TowpathError):  # noqa: N818  (Azure ML's name)
    """The script runs outside any step."""


class UnreachableError(TowpathError):
    """The cluster or the store does not answer."""
