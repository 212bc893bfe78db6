{{- define "maas.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "maas.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "maas.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "maas.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "maas.fullname" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{/* The image that a {repository, tag, digest} names; called with a list of it and the root. */}}
{{- define "maas.image" -}}
{{- $image := index . 0 }}{{- $root := index . 1 }}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}{{ else }}{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/*
What the schema cannot say in words that help. Checked where the settings are made, so that nothing is rendered
without it.
*/}}
{{- define "maas.check" -}}
{{- if not .Values.zookeeper.quorum }}
{{- fail "\n\nzookeeper.quorum is not set: name the servers that the Stellar clients use, for example\n  --set zookeeper.quorum='zk1.example:2181\\,zk2.example:2181'\n" }}
{{- end }}
{{- if not .Values.hdfs.nameservices }}
{{- fail "\n\nhdfs.nameservices is empty: name at least one, with the WebHDFS addresses of its name nodes, for example\n  --set 'hdfs.nameservices.lake.webhdfs={http://nn1.example:9870,http://nn2.example:9870}'\n" }}
{{- end }}
{{- with .Values.hdfs.defaultNameservice }}
{{- if not (hasKey $.Values.hdfs.nameservices .) }}
{{- fail (printf "\n\nhdfs.defaultNameservice is %q, but hdfs.nameservices has only: %s\n" . (keys $.Values.hdfs.nameservices | sortAlpha | join ", ")) }}
{{- end }}
{{- end }}
{{- if and (gt (len .Values.hdfs.nameservices) 1) (not .Values.hdfs.defaultNameservice) }}
{{- fail (printf "\n\nhdfs.nameservices has several entries (%s): set hdfs.defaultNameservice to the one that a path without an authority means\n" (keys .Values.hdfs.nameservices | sortAlpha | join ", ")) }}
{{- end }}
{{- with .Values.legacy.queue }}
{{- if .enabled }}
{{- if not .namespace }}
{{- fail "\n\nlegacy.queue.namespace is not set: name the namespace of the models that requests of the old deploy client make\n" }}
{{- end }}
{{- if and (not .forwardTo) (not (has "*" .models)) }}
{{- fail "\n\nlegacy.queue.forwardTo is not set, but legacy.queue.models does not include \"*\": name the queue for the requests of all other models\n" }}
{{- end }}
{{- range splitList "," (include "maas.queueNamespaces" $) }}
{{- if and $.Values.namespaces (not (has . $.Values.namespaces)) }}
{{- fail (printf "\n\nlegacy.queue names the namespace %q, which is not among the watched namespaces (%s)\n" . (join ", " $.Values.namespaces)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.networkPolicy.modelNamespaces .Values.namespaces }}
{{- range .Values.networkPolicy.modelNamespaces }}
{{- if not (has . $.Values.namespaces) }}
{{- fail (printf "\n\nnetworkPolicy.modelNamespaces names %q, which is not among the watched namespaces (%s)\n" . (join ", " $.Values.namespaces)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The namespaces whose models the requests of the old deploy client change, with commas between them. */}}
{{- define "maas.queueNamespaces" -}}
{{- $all := list .Values.legacy.queue.namespace }}
{{- range .Values.legacy.queue.namespaces }}{{- $all = append $all .namespace }}{{- end }}
{{- $all | uniq | join "," }}
{{- end }}

{{/* The settings as the operator reads them: src/api/settings.ts. */}}
{{- define "maas.settings" -}}
{{- include "maas.check" . }}
{{- $nameservices := dict }}
{{- range $name, $nameservice := .Values.hdfs.nameservices }}
{{- $_ := set $nameservices $name (dict "webhdfs" $nameservice.webhdfs "authorities" ($nameservice.authorities | default list)) }}
{{- end }}
{{- $hdfs := dict "nameservices" $nameservices "user" .Values.hdfs.user }}
{{- with .Values.hdfs.defaultNameservice }}{{- $_ := set $hdfs "defaultNameservice" . }}{{- end }}
{{- $zookeeper := dict
      "quorum" .Values.zookeeper.quorum
      "configPath" .Values.zookeeper.configPath
      "operatorRoot" .Values.zookeeper.operatorRoot
      "sessionTimeoutMs" (int .Values.zookeeper.sessionTimeoutMs) }}
{{- $agent := dict
      "image" (include "maas.image" (list .Values.image .))
      "imagePullPolicy" .Values.image.pullPolicy
      "resources" (dict
        "requests" (.Values.agent.resources.requests | default dict)
        "limits" (.Values.agent.resources.limits | default dict)) }}
{{- $model := dict
      "image" (include "maas.image" (list .Values.model.image .))
      "imagePullPolicy" .Values.model.image.pullPolicy
      "runAsUser" .Values.model.runAsUser
      "env" .Values.model.env }}
{{- $queue := dict
      "enabled" .Values.legacy.queue.enabled
      "namespaces" .Values.legacy.queue.namespaces
      "models" .Values.legacy.queue.models
      "memory" (dict
        "incrementMb" (int .Values.legacy.queue.memory.incrementMb)
        "maximumMb" (ternary nil (int .Values.legacy.queue.memory.maximumMb) (kindIs "invalid" .Values.legacy.queue.memory.maximumMb))) }}
{{- with .Values.legacy.queue.namespace }}{{- $_ := set $queue "namespace" . }}{{- end }}
{{- with .Values.legacy.queue.forwardTo }}{{- $_ := set $queue "forwardTo" . }}{{- end }}
{{- $scheduling := dict
      "queueAs" .Values.scheduling.queueAs
      "queueNames" .Values.scheduling.queueNames
      "nodeLabelPrefix" .Values.scheduling.nodeLabelPrefix }}
{{- with .Values.scheduling.queue }}{{- $_ := set $scheduling "queue" . }}{{- end }}
{{- with .Values.scheduling.nodeLabelExpression }}{{- $_ := set $scheduling "nodeLabelExpression" . }}{{- end }}
{{- $settings := dict
      "zookeeper" $zookeeper
      "hdfs" $hdfs
      "namespaces" .Values.namespaces
      "agent" $agent
      "model" $model
      "scheduling" $scheduling
      "payloadRoot" .Values.payloadRoot
      "payloadCheckMs" (int .Values.payloadCheckMs)
      "payloadStore" (dict "root" .Values.payloadStore.root "removeAfterMs" (int .Values.payloadStore.removeAfterMs))
      "legacy" (dict "readFrom" .Values.legacy.readFrom "queue" $queue) }}
{{- with .Values.clusterId }}{{- $_ := set $settings "clusterId" . }}{{- end }}
{{- toPrettyJson $settings }}
{{- end }}

{{/* What the operator may do where it serves ModelDeployments: src/api/permissions.ts. */}}
{{- define "maas.watchedRules" -}}
- apiGroups: [maas.dev]
  resources: [modeldeployments]
  verbs: [list, watch]
- apiGroups: [maas.dev]
  resources: [modeldeployments/status]
  verbs: [patch]
- apiGroups: [maas.dev]
  resources: [modeldeployments/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [list, create, patch]
{{- end }}

{{/* What it needs beyond that to do what requests of the old deploy client ask. */}}
{{- define "maas.queueRules" -}}
- apiGroups: [maas.dev]
  resources: [modeldeployments]
  verbs: [get, create, patch, delete]
{{- end }}
