"""Names of Azure ML that are not offered: using one says what to use instead."""

from __future__ import annotations

from towpath.errors import DefinitionError


class _NotOffered:
    """Refuses to be made, with advice."""

    advice = ""

    def __init__(self, *_arguments: object, **_keywords: object) -> None:
        """Refuse."""
        raise DefinitionError(f"{type(self).__name__} is not offered: {self.advice}.")


class ParallelRunStep(_NotOffered):
    """Refused: shards do it."""

    advice = (
        'use PythonScriptStep(shards={"input": name, "count": n}), which runs a script on shares of an input'
    )


class DataTransferStep(_NotOffered):
    """Refused: `towpath cp` does it."""

    advice = "use `towpath cp DATASTORE:/path DATASTORE:/path`, or an output with a destination"


class AutoMLStep(_NotOffered):
    """Refused."""

    advice = "run the search of your choice in a PythonScriptStep"


class HyperDriveStep(_NotOffered):
    """Refused."""

    advice = (
        "run the search of your choice in a PythonScriptStep, or submit one run for each set of parameters"
    )


class DatabricksStep(_NotOffered):
    """Refused."""

    advice = "call the service from a PythonScriptStep"


class EstimatorStep(_NotOffered):
    """Refused."""

    advice = "use PythonScriptStep"


class MpiStep(_NotOffered):
    """Refused."""

    advice = "a step is one pod; run an MPI job by its own operator"


class RScriptStep(_NotOffered):
    """Refused."""

    advice = "use CommandStep(['Rscript', 'train.R', …]) with an image that has R"


class Schedule(_NotOffered):
    """Refused."""

    advice = "an applied Pipeline runs by `kubectl create` of a PipelineRun: let a CronJob do that"


class PipelineEndpoint(_NotOffered):
    """Refused."""

    advice = "an applied Pipeline is published: whoever may create a PipelineRun of it runs it"
