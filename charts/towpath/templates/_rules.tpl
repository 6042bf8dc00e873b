{{/*
The rights of the operator, each with its reason; docs/reference/rbac.md is made of them, and a test compares.
There is none on Secrets: whoever needs one is a mover, in the user's namespace, to whom the kubelet gives it.
*/}}

{{/* In every namespace that is watched. */}}
{{- define "towpath.rules.watched" -}}
# What users wrote, and what it is about.
- apiGroups: [towpath.dev]
  resources: [datastores, datasets, datasetversions, pipelines, pipelineruns]
  verbs: [get, list, watch]
# Past its pipeline's retention a run goes by itself.
- apiGroups: [towpath.dev]
  resources: [pipelineruns]
  verbs: [delete]
# The first version that a run registers makes its Dataset; nobody else makes a DatasetVersion.
- apiGroups: [towpath.dev]
  resources: [datasets, datasetversions]
  verbs: [create]
# What was seen and decided, and nothing else of an object: the operator never changes a spec.
- apiGroups: [towpath.dev]
  resources: [datastores/status, datasets/status, pipelines/status, pipelineruns/status]
  verbs: [patch]
# One Job per attempt of a step, per probe and per inventory.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
# list and watch: act when the containers have ended. create: only as a dry run, to learn why a Job has no
# pod. delete: to end a cancelled run's pods with a short grace.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, create, delete]
# create: a run's plan, and the lists of a sweep. get: that plan again after a restart, and the ConfigMap that holds a step's code.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create]
# A step's computeTarget, read when its run is planned; all of them, so that a wrong name gets a hint.
- apiGroups: [""]
  resources: [podtemplates]
  verbs: [list]
# What keeps a node from setting up a pod (a volume, a sandbox) stands in its Events and nowhere else.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
{{- if .Values.mounts.fuseSidecar.enabled }}
# A FUSE sidecar is privileged: whether the namespace lets it in stands in its labels.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- end }}
# What becomes of users' objects, for those who read their Events.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* In the release's own namespace. */}}
{{- define "towpath.rules.own" -}}
# Who leads. A name cannot be given for create, since the object is not there yet.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "towpath.name" . }}]
  verbs: [get, update]
{{- end }}

{{/* In no namespace. */}}
{{- define "towpath.rules.drivers" -}}
# Whether a driver that a Datastore names is there, and gives inline volumes.
- apiGroups: [storage.k8s.io]
  resources: [csidrivers]
  verbs: [get]
{{- end }}

{{/* In no namespace; of this one object only. */}}
{{- define "towpath.rules.cluster" -}}
# Its UID is the identity of the cluster, unless clusterID says another.
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [kube-system]
  verbs: [get]
{{- end }}
