"""An object as it is and a manifest → the object as it is to be. What the manifest does not speak of stays."""

from __future__ import annotations

from towpath.backend import Manifest

_KEPT = ("metadata", "status", "apiVersion", "kind")
_MERGED = ("labels", "annotations")


def replaced(found: Manifest, wanted: Manifest) -> Manifest:
    """The found object with the manifest's spec or data whole, and its labels and annotations beside foreign ones.

    Where that is what is there, the API server writes nothing.
    """
    metadata = found["metadata"] | {
        key: {**(found["metadata"].get(key) or {}), **wanted["metadata"][key]}
        for key in _MERGED
        if wanted["metadata"].get(key)
    }
    content = {key: value for key, value in wanted.items() if key not in _KEPT}
    return {**found, **content, "metadata": metadata}
