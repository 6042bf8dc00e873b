{{/* Names and labels: each is built here and nowhere else. */}}

{{- define "towpath.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 53 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Of objects without a namespace: two releases of one name in two namespaces must not meet. */}}
{{- define "towpath.clusterName" -}}
{{ include "towpath.name" . }}-{{ .Release.Namespace }}
{{- end }}

{{- define "towpath.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "towpath.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "towpath.image" -}}
{{- with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}{{ end }}
{{- end }}

{{- define "towpath.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "towpath.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "towpath.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* What the `restricted` Pod Security Standard asks of a pod, and of each container. */}}
{{- define "towpath.podSecurity" -}}
runAsNonRoot: true
{{- if not .Values.pods.platformAssignsUser }}
runAsUser: 1000
runAsGroup: 1000
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "towpath.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
