"""The five kinds, in the order in which a user meets them."""

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.api.pipeline import Pipeline
from towpath.api.pipelinerun import PipelineRun

KINDS = (Datastore, Dataset, DatasetVersion, Pipeline, PipelineRun)
