"""The style of all pages: two sets of colours, each pair of text and ground with a contrast of 4.5 or more."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "ground": "#ffffff",
    "panel": "#f4f6f8",
    "text": "#1b2128",
    "quiet": "#525c68",
    "line": "#c3cad2",
    "link": "#0a58b5",
    "good": "#116329",
    "bad": "#b3261e",
    "wait": "#7a4d00",
    "busy": "#0a58b5",
    "stage": "#2c6fbb",
    "command": "#7a8490",
    "publish": "#b4600f",
}
DARK: Mapping[str, str] = {
    "ground": "#11161c",
    "panel": "#1b222b",
    "text": "#e6eaef",
    "quiet": "#a3adb9",
    "line": "#3b4653",
    "link": "#7db4ff",
    "good": "#6fcf87",
    "bad": "#ff8f86",
    "wait": "#e8b45a",
    "busy": "#7db4ff",
    "stage": "#5b9be6",
    "command": "#76818e",
    "publish": "#e09a50",
}
# Of these each is read as text on both grounds.
READ = ("text", "quiet", "link", "good", "bad", "wait", "busy")
_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main,header,footer{max-width:76rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.25rem}
footer{color:var(--quiet);padding-bottom:2rem;margin-top:2.5rem;border-top:1px solid var(--line)}
h1{font-size:1.55rem;margin:.2rem 0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2rem 0 .6rem}
h3{font-size:1rem;margin:1.1rem 0 .3rem}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,pre:focus-visible,.scroll:focus-visible{
outline:2px solid var(--link);outline-offset:2px}
code,pre{font:13px/1.5 ui-monospace,monospace}
pre{background:var(--panel);border:1px solid var(--line);padding:.6rem .8rem;
overflow:auto;max-height:28rem;margin:.4rem 0}
.scroll{overflow-x:auto;border:1px solid var(--line);background:var(--panel)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .7rem;border-bottom:1px solid var(--line);
overflow-wrap:break-word}
th{color:var(--quiet);font-weight:600;white-space:nowrap}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem 1.2rem;margin:.5rem 0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
ul{margin:.3rem 0;padding-left:1.2rem}
details{border:1px solid var(--line);margin:.5rem 0;padding:.1rem .8rem}
summary{cursor:pointer;padding:.4rem 0}
summary,h2,h3,p,li{overflow-wrap:anywhere}
td code{word-break:break-all}
.state{font-weight:600}
.quiet{color:var(--quiet)}
.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}.busy{color:var(--busy)}
svg{display:block}
svg.fit{max-width:100%;height:auto}
@media (max-width:60rem){svg.fit{max-width:none}}
svg text{fill:var(--text);font:13px system-ui,sans-serif}
svg .quiet{fill:var(--quiet)}
svg text.good{fill:var(--good)}svg text.bad{fill:var(--bad)}
svg text.wait{fill:var(--wait)}svg text.busy{fill:var(--busy)}
svg .small{font-size:12px}
svg .node{fill:var(--ground);stroke:var(--line)}
svg .node.good{stroke:var(--good)}svg .node.bad{stroke:var(--bad);stroke-width:2}
svg .node.wait{stroke:var(--wait)}svg .node.busy{stroke:var(--busy);stroke-width:2}
svg .edge{fill:none;stroke:var(--quiet)}
svg .after{stroke-dasharray:4 3}
svg .head{fill:var(--quiet)}
svg .label{paint-order:stroke;stroke:var(--panel);stroke-width:4px}
svg .tick{stroke:var(--line)}
svg .stage{fill:var(--stage)}svg .command{fill:var(--command)}svg .publish{fill:var(--publish)}
@media print{pre{max-height:none}.scroll{overflow:visible}}
"""


def style() -> str:
    """The whole style sheet."""
    dark = f"@media (prefers-color-scheme:dark){{:root{{{_set(DARK)}}}}}"
    return f":root{{color-scheme:light dark;{_set(LIGHT)}}}{dark}{_RULES}"


def state_class(state: str) -> str:
    """The class of a state's colour; the state always stands there as a word, too."""
    return {
        "Succeeded": "good",
        "True": "good",
        "Failed": "bad",
        "False": "bad",
        "Running": "busy",
        "Waiting": "wait",
        "Cancelled": "wait",
        "Skipped": "quiet",
    }.get(state, "quiet")


def _set(colours: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())
