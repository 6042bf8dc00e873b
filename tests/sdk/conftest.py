"""The real API server as a judge, as the tests of the API have it."""

from api.conftest import judge

__all__ = ["judge"]
