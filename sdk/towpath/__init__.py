"""Towpath: moves data into, between and out of the steps of ML pipelines on Kubernetes.

Importing this package loads nothing else: each name is loaded when it is first asked for. So a mover or the
plain Python of a step may import one module without pydantic, and nobody waits for a Kubernetes client.
"""

from importlib import import_module

# As in typing, whose import would take a hundred times as long as all the rest of this one.
TYPE_CHECKING = False

__version__ = "0.1.0"

# Which module holds each public name.
_HOMES = {
    "archives": "ArchiveOptions ArchiveType",
    "consumption": "DatasetConsumptionConfig",
    "data_type": "DataType PromoteHeadersBehavior",
    "datapath": "DataPath DataPathComputeBinding DataReference",
    "dataset": "Dataset",
    "datastore": "Datastore",
    "errors": (
        "ActivityFailedException AlreadyExistsError DatasetExecutionError DatasetValidationError DefinitionError "
        "InvalidObjectError NotFoundError RunEnvironmentException TowpathError UnknownNameError UnreachableError "
        "UserErrorException WaitTimeoutError"
    ),
    "experiment": "Experiment",
    "file_dataset": "FileDataset",
    "not_offered": (
        "AutoMLStep DataTransferStep DatabricksStep EstimatorStep HyperDriveStep MpiStep ParallelRunStep "
        "PipelineEndpoint RScriptStep Schedule"
    ),
    "notices": "CanonicalFormWarning",
    "output_config": "OutputFileDatasetConfig OutputTabularDatasetConfig",
    "parameter": "PipelineParameter",
    "pipeline": "Pipeline",
    "pipeline_data": "PipelineData",
    "promoted": "PipelineOutputFileDataset PipelineOutputTabularDataset",
    "run_configuration": "Environment RunConfiguration",
    "run_context": "Run",
    "runs": "PipelineRun StepRun",
    "steps": "CommandStep PythonScriptStep StepSequence",
    "tabular_dataset": "TabularDataset",
    "workspace": "Workspace",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "ActivityFailedException",
    "AlreadyExistsError",
    "ArchiveOptions",
    "ArchiveType",
    "AutoMLStep",
    "CanonicalFormWarning",
    "CommandStep",
    "DataPath",
    "DataPathComputeBinding",
    "DataReference",
    "DataTransferStep",
    "DataType",
    "DatabricksStep",
    "Dataset",
    "DatasetConsumptionConfig",
    "DatasetExecutionError",
    "DatasetValidationError",
    "Datastore",
    "DefinitionError",
    "Environment",
    "EstimatorStep",
    "Experiment",
    "FileDataset",
    "HyperDriveStep",
    "InvalidObjectError",
    "MpiStep",
    "NotFoundError",
    "OutputFileDatasetConfig",
    "OutputTabularDatasetConfig",
    "ParallelRunStep",
    "Pipeline",
    "PipelineData",
    "PipelineEndpoint",
    "PipelineOutputFileDataset",
    "PipelineOutputTabularDataset",
    "PipelineParameter",
    "PipelineRun",
    "PromoteHeadersBehavior",
    "PythonScriptStep",
    "RScriptStep",
    "Run",
    "RunConfiguration",
    "RunEnvironmentException",
    "Schedule",
    "StepRun",
    "StepSequence",
    "TabularDataset",
    "TowpathError",
    "UnknownNameError",
    "UnreachableError",
    "UserErrorException",
    "WaitTimeoutError",
    "Workspace",
]

if TYPE_CHECKING:
    from towpath.archives import ArchiveOptions, ArchiveType
    from towpath.consumption import DatasetConsumptionConfig
    from towpath.data_type import DataType, PromoteHeadersBehavior
    from towpath.datapath import DataPath, DataPathComputeBinding, DataReference
    from towpath.dataset import Dataset
    from towpath.datastore import Datastore
    from towpath.errors import (
        ActivityFailedException,
        AlreadyExistsError,
        DatasetExecutionError,
        DatasetValidationError,
        DefinitionError,
        InvalidObjectError,
        NotFoundError,
        RunEnvironmentException,
        TowpathError,
        UnknownNameError,
        UnreachableError,
        UserErrorException,
        WaitTimeoutError,
    )
    from towpath.experiment import Experiment
    from towpath.file_dataset import FileDataset
    from towpath.not_offered import (
        AutoMLStep,
        DatabricksStep,
        DataTransferStep,
        EstimatorStep,
        HyperDriveStep,
        MpiStep,
        ParallelRunStep,
        PipelineEndpoint,
        RScriptStep,
        Schedule,
    )
    from towpath.notices import CanonicalFormWarning
    from towpath.output_config import OutputFileDatasetConfig, OutputTabularDatasetConfig
    from towpath.parameter import PipelineParameter
    from towpath.pipeline import Pipeline
    from towpath.pipeline_data import PipelineData
    from towpath.promoted import PipelineOutputFileDataset, PipelineOutputTabularDataset
    from towpath.run_configuration import Environment, RunConfiguration
    from towpath.run_context import Run
    from towpath.runs import PipelineRun, StepRun
    from towpath.steps import CommandStep, PythonScriptStep, StepSequence
    from towpath.tabular_dataset import TabularDataset
    from towpath.workspace import Workspace


def __getattr__(name: str) -> object:
    module = _HOME_OF.get(name)
    if module is None:
        raise AttributeError(f"towpath has no {name}.{_hint(name)}")
    value = getattr(import_module(f"towpath.{module}"), name)
    globals()[name] = value
    return value


def _hint(name: str) -> str:
    if name.startswith("__"):
        return ""
    return " " + str(import_module("towpath.spelling").near(name, _HOME_OF))


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
