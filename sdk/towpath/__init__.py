"""Towpath: moves data into, between and out of the steps of ML pipelines on Kubernetes.

Importing this package loads nothing else, so that a mover or a plain step image can
import one of its modules without pydantic.
"""

__version__ = "0.1.0"
