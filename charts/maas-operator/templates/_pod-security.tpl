{{/* The restricted Pod Security level, and a read-only root file system beyond it. */}}
{{- define "maas.podSecurityContext" -}}
runAsNonRoot: true
{{- if not (kindIs "invalid" .Values.runAsUser) }}
runAsUser: {{ int .Values.runAsUser }}
runAsGroup: {{ int .Values.runAsUser }}
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "maas.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
