"""What a step finds in its pod besides its inputs: folders, its code, its context, and the launcher that runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from towpath.flow.code import CodeArchiveError, code_digest, code_of
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.launcher import IMAGE_BUSYBOX, SOURCE
from towpath_mover.order import CodeOrder, StepOrder
from towpath_mover.paths import check_path
from towpath_mover.pod_paths import PodPaths
from towpath_mover.step_python import place_python

CONTEXT_VERSION = 1


def prepare(order: StepOrder, paths: PodPaths) -> None:
    """Make everything that the step needs before its inputs; doing it again changes nothing."""
    for folder in (paths.work / ".home", paths.work / ".tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    if order.code:
        _place_code(order.code, paths)
    _prepare_outputs(order, paths)
    _place_context(order, paths)
    paths.bin.mkdir(parents=True, exist_ok=True)
    place_python(paths.python)
    if not paths.is_local:
        _place_launcher(paths.bin)
    if order.shard:
        (paths.bin / "shard").write_text(f"{order.shard.number}\n")


def _place_code(code: CodeOrder, paths: PodPaths) -> None:
    files = _inline(code.inline) if code.inline is not None else _mounted(code, paths.code)
    found = code_digest(files)
    if found != code.digest:
        origin = f"ConfigMap {code.config_map!r}" if code.config_map else "the plan"
        message = (
            f"The code in {origin} has the digest {found}, but {code.digest} was planned: it was changed since the"
            " run started. Start a new run to use the new code."
        )
        raise MoverFailure(Reason.CODE_DRIFT, message)
    for name, content in files.items():
        check_path(name)
        file = paths.work / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        # A ConfigMap has no executable bit; a script says by its first line that it is one.
        file.chmod(0o755 if content.startswith(b"#!") else 0o644)


def _inline(files: Mapping[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


def _mounted(code: CodeOrder, folder: Path) -> dict[str, bytes]:
    # The kubelet's own entries (..data and the like) begin with two dots, which no key does.
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    content = {file.name: file.read_bytes() for file in files if not file.name.startswith("..")}
    if not content:
        message = (
            f"The step's code is missing: ConfigMap {code.config_map!r} does not exist in this namespace, or is empty."
            " It was there when the run started. Create it again with the same content, or start a new run."
        )
        raise MoverFailure(Reason.CODE_DRIFT, message)
    try:
        return code_of(content)
    except CodeArchiveError as error:
        message = f"The code in ConfigMap {code.config_map!r} cannot be unpacked: {error}. Make it again."
        raise MoverFailure(Reason.CODE_DRIFT, message) from error


def _prepare_outputs(order: StepOrder, paths: PodPaths) -> None:
    for output in order.outputs:
        place = paths.output(output.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if output.make_directory:
            place.mkdir(exist_ok=True)


def _place_context(order: StepOrder, paths: PodPaths) -> None:
    paths.context.parent.mkdir(parents=True, exist_ok=True)
    paths.context.write_text(json.dumps(_context(order, paths), ensure_ascii=False, indent=1))


def _context(order: StepOrder, paths: PodPaths) -> dict[str, object]:
    return {
        "formatVersion": CONTEXT_VERSION,
        "namespace": order.namespace,
        "run": {"name": order.run, "uid": order.run_uid},
        "pipeline": order.pipeline,
        "step": order.step,
        "attempt": order.attempt,
        **({"shard": order.shard.number, "shards": order.shard.shards} if order.shard else {}),
        "params": dict(order.params),
        "inputs": {
            given.name: {
                "path": "/".join(filter(None, (paths.seen_input(given.name, given.path), given.file))),
                "digest": given.inventory.digest,
                **given.origin,
                **({"transforms": list(given.transforms)} if given.transforms else {}),
            }
            for given in order.inputs
        },
        "outputs": {output.name: {"path": paths.seen_output(output.path)} for output in order.outputs},
    }


def _place_launcher(folder: Path) -> None:
    for name, source in (("busybox", Path(IMAGE_BUSYBOX)), ("launcher", SOURCE)):
        # A program that runs cannot be written over, only replaced.
        new = folder / f".{name}"
        new.write_bytes(source.read_bytes())
        new.chmod(0o755)
        new.replace(folder / name)
    fifo = folder / "alive"
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo, 0o600)
