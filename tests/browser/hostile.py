"""Texts that would run, fetch or deface something if they ever were markup, and a run that is full of them."""

from __future__ import annotations

import json
from typing import Any

import builders
from cli.memory import MemoryBackend
from cli.pictures import everything
from towpath.backend import Container, Kind, LogLine

# Each would leave its mark on the document, or ask HOST for something.
CORPUS = (
    "<script>document.documentElement.dataset.pwned='1'</script>",
    "</title><script>document.documentElement.dataset.pwned='2'</script>",
    "</style><script>document.documentElement.dataset.pwned='3'</script>",
    "</pre></details></svg><script>document.documentElement.dataset.pwned='4'</script>",
    "<img src=x onerror=\"document.documentElement.dataset.pwned='5'\">",
    "\"><svg onload=\"document.documentElement.dataset.pwned='6'\">",
    "' onmouseover='document.documentElement.dataset.pwned=7' autofocus onfocus='document.title=7' x='",
    "<a href=\"javascript:document.documentElement.dataset.pwned='8'\">click</a>",
    "javascript:document.documentElement.dataset.pwned='9'",
    "<img src=http://HOST/img>",
    "<link rel=stylesheet href=http://HOST/css>",
    "<style>@import 'http://HOST/import';body{background:url(http://HOST/bg)}</style>",
    "<iframe src=http://HOST/frame></iframe><object data=http://HOST/object></object>",
    "<meta http-equiv=refresh content='0;url=http://HOST/refresh'>",
    "<base href=http://HOST/base/>",
    "<form action=http://HOST/form><input name=q autofocus></form>",
    "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></body></foreignObject>",
    "<!--", "-->", "<![CDATA[", "]]>", "&lt;script&gt;", "&#60;script&#62;", "\u2028<script>", "<\u017fcript>",
    "\ufeff<script\x00>", "\x00", "\x1b[2J", "\u202e>tpircs<", "\ud800",
)  # fmt: skip


def hostile_backend(host: str) -> MemoryBackend:
    """The run of the pictures, every text of it replaced by one of the corpus, in turn."""
    backend = everything()
    corpus = [text.replace("HOST", host) for text in CORPUS]
    run = backend.objects[Kind.PIPELINE_RUN, "iris-2"]
    turn = iter(corpus * 20)
    # A plan is canonical JSON in UTF-8: half a character cannot be in it.
    whole = [text for text in corpus if text != "\ud800"]
    planned = iter(whole * 20)
    status = run["status"]
    status |= {"message": next(turn), "leftOut": next(turn), "progress": next(turn)}
    for step in status["steps"]:
        step |= {"reason": next(turn), "message": next(turn), "logTail": "\n".join(corpus), "job": next(turn)}
        step["notes"] = list(corpus)
        step["metrics"] = [{"name": next(turn), "value": next(turn)}]
        step["reuseMiss"] = {
            "reason": next(turn),
            "components": corpus[:3],
            "run": "iris-1",
            "message": next(turn),
        }
        for output in step.get("outputs") or ():
            output |= {"digest": next(turn), "datastore": next(turn)}
    plan = json.loads(json.dumps(backend.plans["iris-2"]))
    plan["run"] |= {"params": {next(planned): next(planned) for _ in range(5)}, "notes": whole}
    for key in [key for key in plan if key.startswith("step-")]:
        plan[key] |= {"image": next(planned), "command": whole, "args": whole}
    backend.plans["iris-2"] = plan
    _hostile_names(run, plan, corpus)
    backend.lines = [LogLine(corpus[0], 1, Container.STEP, text) for text in corpus]
    dataset = builders.make_dataset("evil", description=next(turn), tags={next(turn): next(turn)})
    dataset["spec"]["sources"] = [{"path": text} for text in corpus] + [{"url": text} for text in corpus]
    said = {"type": "Ready", "status": "False", "reason": next(turn), "message": next(turn)}
    dataset["status"] = {"conditions": [said]}
    store = builders.make_datastore("evil", s3=builders.make_s3(bucket=next(turn), prefix=next(turn)))
    backend.where = corpus[1]
    return backend.hold(dataset, store)


def _hostile_names(run: dict[str, Any], plan: dict[str, Any], corpus: list[str]) -> None:
    """A step's own name, which Kubernetes would refuse: a page is not to rest on that."""
    old, new = "prep", corpus[0]
    run["status"]["steps"][0]["name"] = new
    document = plan.pop(f"step-{old}")
    plan[f"step-{new}"] = document | {"name": new}
    plan["run"]["order"] = [new if name == old else name for name in plan["run"]["order"]]
    for document in plan.values():
        for given in document.get("inputs") or ():
            if (given.get("from") or {}).get("step") == old:
                given["from"]["step"] = new
        document["dependsOn"] = [new if name == old else name for name in document.get("dependsOn") or ()]
