"""CRDs → the text of the generated files: plain manifests, and templates of the Helm chart."""

import re
from typing import Any

import yaml

_HEADER = "# Generated from sdk/towpath/api by `make generate`: change the models, not this file.\n"
_KEEP = """\
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
"""


class _PlainDumper(yaml.SafeDumper):
    """Equal parts are written out each time: a reader of a CRD should not have to follow anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def manifest(crd: dict[str, Any]) -> str:
    """Give the CRD as a manifest for `kubectl apply --server-side`."""
    return _HEADER + _as_yaml(crd)


def chart_template(crd: dict[str, Any]) -> str:
    """Give the CRD as a template: left out unless `crds.enabled`, and kept on uninstall where `crds.keep`."""
    head, name, rest = _as_yaml(crd).partition(f"  name: {crd['metadata']['name']}\n")
    body = _escaped(head + name) + _KEEP + _escaped(rest)
    return "{{- if .Values.crds.enabled }}\n" + _HEADER + body + "{{- end }}\n"


def _as_yaml(document: dict[str, Any]) -> str:
    # Yaml's own line breaks inside long descriptions would make every small change a large one.
    return yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, width=10_000, allow_unicode=True)


def _escaped(text: str) -> str:
    """Braces that Helm would take for its own are written as strings of its template language."""
    return re.sub(r"\{\{|\}\}", lambda braces: '{{ "' + braces.group() + '" }}', text)
