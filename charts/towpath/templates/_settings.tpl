{{/* The operator's environment: one variable per setting of towpath_operator/settings.py that the chart knows. */}}
{{- define "towpath.settings" -}}
{{- $settings := dict
  "WATCH_NAMESPACES" (join "," .Values.watchNamespaces)
  "LEASE_NAME" (include "towpath.name" .)
  "HTTP_PORT" "8080"
  "LOG_LEVEL" .Values.logLevel
  "CLUSTER_ID" .Values.clusterID
  "STEP_IMAGE" .Values.stepImage
  "MOVER_IMAGE" (include "towpath.image" .)
  "MOVER_IMAGE_PULL_POLICY" .Values.image.pullPolicy
  "MOVER_RESOURCES" (toJson .Values.mover.resources)
  "FUSE_SIDECAR_ENABLED" .Values.mounts.fuseSidecar.enabled
  "FUSE_SIDECAR_CACHE_BYTES" .Values.mounts.fuseSidecar.cacheBytes
  "FUSE_SIDECAR_RESOURCES" (toJson .Values.mounts.fuseSidecar.resources)
  "IMAGE_PULL_SECRETS" (join "," .Values.pods.imagePullSecrets)
  "DEFAULT_USER" .Values.pods.user
  "PLATFORM_ASSIGNS_USER" .Values.pods.platformAssignsUser
  "TERMINATION_GRACE_PERIOD_SECONDS" .Values.pods.terminationGracePeriodSeconds
  "STEP_GRACE_SECONDS" .Values.pods.stepGraceSeconds
  "TTL_SECONDS_AFTER_FINISHED" .Values.pods.ttlSecondsAfterFinished
  "START_TIMEOUT_SECONDS" .Values.limits.startTimeoutSeconds
  "STORE_TIMEOUT_SECONDS" .Values.limits.storeTimeoutSeconds
  "CANCEL_GRACE_SECONDS" .Values.limits.cancelGraceSeconds
  "DISRUPTIONS" .Values.limits.disruptions
  "MOVER_FAILURES" .Values.limits.moverFailures
  "SWEEP_OLDER_THAN_SECONDS" .Values.sweep.olderThanSeconds
  "SWEEP_IS_DRY" .Values.sweep.dryRun
  "SWEEP_INTERVAL_SECONDS" .Values.sweep.intervalSeconds
}}
{{- with .Values.limits.maxScratchBytes }}{{ $_ := set $settings "MAX_SCRATCH_BYTES" . }}{{ end }}
{{- range $name, $value := $settings }}
{{- /* Whole numbers come from YAML as floats: 1e+06 would be no integer to the operator. */}}
- {name: TOWPATH_{{ $name }}, value: {{ if kindIs "float64" $value }}{{ int64 $value | toString | quote }}{{ else }}{{ $value | toString | quote }}{{ end }}}
{{- end }}
{{- end }}
