"""Why a step took no earlier work ↔ the document of it: in the step's status, and on the Job that it was run by."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from towpath.api.runstatus import ReuseMiss
from towpath.flow.conditions import brief
from towpath.flow.documents import canonical
from towpath.flow.recorded import Miss

# Of the schema.
MOST_COMPONENTS = 32


def document(miss: Miss) -> dict[str, Any]:
    """How a status says it."""
    optional = {
        "components": list(miss.components[:MOST_COMPONENTS]),
        "run": miss.run,
        "message": brief(miss.message) if miss.message else None,
    }
    return {"reason": str(miss.reason)} | {name: value for name, value in optional.items() if value}


def restored(written: ReuseMiss) -> Miss:
    """What a status says."""
    return Miss(written.reason, written.components, written.run, written.message)


def write(miss: Miss) -> str:
    """The text of it for an annotation."""
    return canonical(document(miss)).decode()


def read(text: str | None) -> Miss | None:
    """What an annotation says; None where it says nothing that can be understood: it is told, never acted on."""
    try:
        return restored(ReuseMiss.model_validate(json.loads(text))) if text else None
    except (ValueError, ValidationError):
        return None
