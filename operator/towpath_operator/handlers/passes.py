"""Which pass each kind gets."""

from __future__ import annotations

from collections.abc import Mapping

from towpath_operator.handlers.workers import Pass

PASSES: Mapping[str, Pass] = {}
