{{/* The restricted Pod Security level, and a read-only root file system beyond it. */}}
{{- define "maas.podSecurityContext" -}}
runAsNonRoot: true
{{- with get (include "maas.values" . | fromJson) "runAsUser" }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "maas.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
