"""A run's life as lines: what changed since the last look, until it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from cluster.installation import Tools


def follow_run(tools: Tools, namespace: str, run: str) -> bool:
    """Prints each change of the run and of its steps until it ends; whether it succeeded."""
    words = ["-n", namespace, "get", "pipelineruns.towpath.dev", run, "-w", "-o", "json"]
    watch = tools.kubectl.watch(*words)
    assert watch.stdout is not None
    said: set[str] = set()
    try:
        for status in (document.get("status", {}) for document in documents(watch.stdout)):
            for line in lines_of(run, status):
                if line not in said:
                    said.add(line)
                    print(line, flush=True)
            if "completionTime" in status:
                return bool(status.get("state") == "Succeeded")
    finally:
        watch.kill()
        watch.wait()
    return False


def lines_of(run: str, status: dict[str, Any]) -> list[str]:
    """One line per step that has begun, and one for the run."""
    lines = [_step_line(step) for step in status.get("steps", []) if step.get("state") != "Pending"]
    if "state" in status:
        lines.append(f"{run}: {status['state']}  {status.get('message', '')}".rstrip())
    return lines


def _step_line(step: dict[str, Any]) -> str:
    words = [f"  {step['name']}: {step['state']}"]
    if step["state"] in ("Waiting", "Failed"):
        words.append(f"({step.get('reason', '')}) {step.get('message', '')}")
    return "  ".join(words + [_output_words(output) for output in step.get("outputs", [])])


def _output_words(output: dict[str, Any]) -> str:
    files = "1 file" if output["files"] == 1 else f"{output['files']} files"
    return f"{output['name']}: {files}, {output['bytes']} bytes"


def documents(stream: IO[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects that follow one another in a stream, each as soon as it is whole."""
    decoder = json.JSONDecoder()
    kept = ""
    for line in stream:
        kept += line
        if line.startswith("}"):
            document, end = decoder.raw_decode(kept)
            kept = kept[end:].lstrip()
            yield document
