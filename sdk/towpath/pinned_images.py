"""A pipeline's images by their digests, where their registries say them: only what is pinned is reused by itself.

A tag can be pushed again. Who does not answer, or may not be asked, leaves the tag as it is, and that is said.
`TOWPATH_PIN_IMAGES=never` asks nobody.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from towpath.flow.fingerprint import image_digest
from towpath.registry import ImageName, UnansweredError, digest_of, image_name

VARIABLE = "TOWPATH_PIN_IMAGES"
_AT_ONCE = 8


def pinned(
    spec: Mapping[str, Any],
    say: Callable[[str], None],
    ask: Callable[[ImageName], str] = digest_of,
) -> dict[str, Any]:
    """A PipelineSpec with its steps' images as `name:tag@sha256:…`; `say` gets a sentence per tag that stays."""
    steps = [dict(step) for step in spec.get("steps") or ()]
    images = {str(step["image"]) for step in steps if step.get("image")}
    found = _digests(sorted(image for image in images if image_digest(image) is None), say, ask)
    for step in steps:
        if step.get("image") in found:
            step["image"] = f"{step['image']}@{found[step['image']]}"
    return {**spec, "steps": steps} if steps else dict(spec)


def _digests(
    images: Iterable[str], say: Callable[[str], None], ask: Callable[[ImageName], str]
) -> dict[str, str]:
    wanted = () if os.environ.get(VARIABLE) == "never" else tuple(images)

    def answer(image: str) -> str | UnansweredError:
        try:
            return ask(image_name(image))
        except UnansweredError as why:
            return why

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = dict(zip(wanted, pool.map(answer, wanted), strict=True))
    for image, why in answers.items():
        if isinstance(why, UnansweredError):
            say(f"{image} stays a tag, and its steps are not reused by themselves: {why}.")
    return {image: digest for image, digest in answers.items() if isinstance(digest, str)}
