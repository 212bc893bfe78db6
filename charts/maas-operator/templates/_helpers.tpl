{{- define "maas.fullname" -}}
{{- $values := include "maas.values" . | fromJson }}
{{- $chart := include "maas.text" ($values.nameOverride | default .Chart.Name) }}
{{- $name := include "maas.text" ($values.fullnameOverride | default (contains $chart .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $chart))) }}
{{- $name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* Where the operator is: the release's namespace, or another one where a release has more than one of it. */}}
{{- define "maas.namespace" -}}
{{- include "maas.text" (get (include "maas.values" . | fromJson) "namespaceOverride" | default .Release.Namespace) }}
{{- end }}

{{- define "maas.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "maas.payloadCacheLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: payload-cache
{{- end }}

{{- define "maas.payloadCacheName" -}}
{{- include "maas.fullname" . }}-cache
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
{{- $account := get (include "maas.values" . | fromJson) "serviceAccount" }}
{{- include "maas.text" ($account.name | default (ternary (include "maas.fullname" .) "default" $account.create)) }}
{{- end }}

{{/* The image that a {repository, tag, digest} names; called with a list of "image" or "model.image" and the root. */}}
{{- define "maas.image" -}}
{{- $path := index . 0 }}{{- $root := index . 1 }}
{{- $values := include "maas.values" $root | fromJson }}
{{- $image := ternary $values.model.image $values.image (eq $path "model.image") }}
{{- if and (kindIs "float64" $image.tag) (ne $image.tag (floor $image.tag)) }}
{{- fail (printf "\n\n%s.tag is the number %v: of 1.10, for example, only 1.1 is left; put it in quotes\n" $path $image.tag) }}
{{- end }}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}{{ else }}{{ $image.repository }}:{{ include "maas.text" ($image.tag | default $root.Chart.AppVersion) }}{{ end }}
{{- end }}

{{/*
What the schema cannot say in words that help. Checked where the settings are made, so that nothing is rendered
without it.
*/}}
{{- define "maas.check" -}}
{{- $values := include "maas.values" . | fromJson }}
{{- $nameservices := $values.hdfs.nameservices }}
{{- $namespaces := include "maas.listOfTexts" $values.namespaces | fromJsonArray }}
{{- if not $values.zookeeper.quorum }}
{{- fail "\n\nzookeeper.quorum is not set: name the servers that the Stellar clients use, for example\n  --set zookeeper.quorum='zk1.example:2181\\,zk2.example:2181'\n" }}
{{- end }}
{{- if not $nameservices }}
{{- fail "\n\nhdfs.nameservices is empty: name at least one, with the WebHDFS addresses of its name nodes, for example\n  --set 'hdfs.nameservices.lake.webhdfs={http://nn1.example:9870,http://nn2.example:9870}'\n" }}
{{- end }}
{{- with $values.hdfs.defaultNameservice }}
{{- if not (hasKey $nameservices (include "maas.text" .)) }}
{{- fail (printf "\n\nhdfs.defaultNameservice is %q, but hdfs.nameservices has only: %s\n" (include "maas.text" .) (keys $nameservices | sortAlpha | join ", ")) }}
{{- end }}
{{- end }}
{{- if and (gt (len $nameservices) 1) (not $values.hdfs.defaultNameservice) }}
{{- fail (printf "\n\nhdfs.nameservices has several entries (%s): set hdfs.defaultNameservice to the one that a path without an authority means\n" (keys $nameservices | sortAlpha | join ", ")) }}
{{- end }}
{{- with $values.legacy.queue }}
{{- if .enabled }}
{{- if not .namespace }}
{{- fail "\n\nlegacy.queue.namespace is not set: name the namespace of the models that requests of the old deploy client make\n" }}
{{- end }}
{{- if and (not .forwardTo) (not (has "*" .models)) }}
{{- fail "\n\nlegacy.queue.forwardTo is not set, but legacy.queue.models does not include \"*\": name the queue for the requests of all other models\n" }}
{{- end }}
{{- range include "maas.queueNamespaces" $ | fromJsonArray }}
{{- if and $namespaces (not (has . $namespaces)) }}
{{- fail (printf "\n\nlegacy.queue names the namespace %q, which is not among the watched namespaces (%s)\n" . (join ", " $namespaces)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $values.networkPolicy.modelNamespaces $namespaces }}
{{- range include "maas.listOfTexts" $values.networkPolicy.modelNamespaces | fromJsonArray }}
{{- if not (has . $namespaces) }}
{{- fail (printf "\n\nnetworkPolicy.modelNamespaces names %q, which is not among the watched namespaces (%s)\n" . (join ", " $namespaces)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The namespaces whose models the requests of the old deploy client change; as JSON. */}}
{{- define "maas.queueNamespaces" -}}
{{- $queue := get (get (include "maas.values" . | fromJson) "legacy") "queue" }}
{{- $all := list (include "maas.text" ($queue.namespace | default "")) }}
{{- range $queue.namespaces }}{{- $all = append $all (include "maas.text" .namespace) }}{{- end }}
{{- $all | uniq | toJson }}
{{- end }}

{{/* The settings as the operator reads them: src/contracts/settings.ts. What is left out has the default of the program. */}}
{{- define "maas.settings" -}}
{{- include "maas.check" . }}
{{- $values := include "maas.values" . | fromJson }}
{{- $zookeeper := pick $values.zookeeper "quorum" "configPath" "operatorRoot" }}
{{- with $values.zookeeper.sessionTimeoutMs }}{{- $_ := set $zookeeper "sessionTimeoutMs" (int64 .) }}{{- end }}
{{- $nameservices := dict }}
{{- range $name, $nameservice := $values.hdfs.nameservices }}
{{- $_ := set $nameservices $name (dict "webhdfs" $nameservice.webhdfs "authorities" ($nameservice.authorities | default list)) }}
{{- end }}
{{- $hdfs := dict "nameservices" $nameservices "user" (include "maas.text" $values.hdfs.user) }}
{{- with $values.hdfs.defaultNameservice }}{{- $_ := set $hdfs "defaultNameservice" (include "maas.text" .) }}{{- end }}
{{- $agent := dict
      "image" (include "maas.image" (list "image" .))
      "imagePullPolicy" $values.image.pullPolicy
      "resources" (include "maas.resources" $values.agent.resources | fromJson) }}
{{- $model := dict
      "image" (include "maas.image" (list "model.image" .))
      "imagePullPolicy" $values.model.image.pullPolicy
      "imagePullSecrets" (include "maas.secretNames" $values.model.imagePullSecrets | fromJsonArray)
      "runAsUser" (ternary (int64 ($values.model.runAsUser | default 0)) nil (hasKey $values.model "runAsUser"))
      "readOnlyRootFilesystem" ($values.model.readOnlyRootFilesystem | default false)
      "env" (include "maas.texts" $values.model.env | fromJson)
      "disk" (include "maas.amount" (list $values.model "disk") | default nil)
      "resources" (include "maas.resources" $values.model.resources | fromJson)
      "podLabels" (include "maas.texts" $values.model.podLabels | fromJson)
      "podAnnotations" (include "maas.texts" $values.model.podAnnotations | fromJson) }}
{{- with include "maas.amount" (list $values.model "cpu") }}{{- $_ := set $model "cpu" . }}{{- end }}
{{- with $values.model.disruptionBudget }}
{{- $most := .maxUnavailable | default 1 }}
{{- $most = ternary $most (int64 $most) (kindIs "string" $most | and (hasSuffix "%" (toString $most))) }}
{{- $_ := set $model "disruptionBudget" (ternary (dict "maxUnavailable" $most) nil .enabled) }}
{{- end }}
{{- $queue := dict
      "enabled" ($values.legacy.queue.enabled | default false)
      "models" (include "maas.listOfTexts" $values.legacy.queue.models | fromJsonArray) }}
{{- $memory := dict "maximumMb" nil }}
{{- range $bound, $megabytes := $values.legacy.queue.memory }}{{- $_ := set $memory $bound (int64 $megabytes) }}{{- end }}
{{- $_ := set $queue "memory" $memory }}
{{- $others := list }}
{{- range $values.legacy.queue.namespaces }}
{{- $others = append $others (dict "prefix" (include "maas.text" .prefix) "namespace" (include "maas.text" .namespace)) }}
{{- end }}
{{- $_ := set $queue "namespaces" $others }}
{{- with $values.legacy.queue.namespace }}{{- $_ := set $queue "namespace" (include "maas.text" .) }}{{- end }}
{{- with $values.legacy.queue.forwardTo }}{{- $_ := set $queue "forwardTo" . }}{{- end }}
{{- $legacy := dict "queue" $queue }}
{{- with include "maas.amount" (list $values.legacy "cpu") }}{{- $_ := set $legacy "cpu" . }}{{- end }}
{{- with $values.legacy.readFrom }}{{- $_ := set $legacy "readFrom" . }}{{- end }}
{{- $scheduling := pick $values.scheduling "queueAs" "nodeLabelPrefix" }}
{{- $_ := set $scheduling "queueNames" (include "maas.texts" $values.scheduling.queueNames | fromJson) }}
{{- with $values.scheduling.queue }}{{- $_ := set $scheduling "queue" (include "maas.text" .) }}{{- end }}
{{- with $values.scheduling.nodeLabelExpression }}{{- $_ := set $scheduling "nodeLabelExpression" . }}{{- end }}
{{- $store := pick $values.payloadStore "root" }}
{{- with $values.payloadStore.removeAfterMs }}{{- $_ := set $store "removeAfterMs" (int64 .) }}{{- end }}
{{- $settings := dict
      "zookeeper" $zookeeper
      "hdfs" $hdfs
      "namespaces" (include "maas.listOfTexts" $values.namespaces | fromJsonArray)
      "agent" $agent
      "model" $model
      "scheduling" $scheduling
      "payloadRoot" (include "maas.text" $values.payloadRoot)
      "payloadStore" $store
      "legacy" $legacy }}
{{- if $values.payloadCache.enabled }}
{{- $url := printf "http://%s.%s.svc:8090" (include "maas.payloadCacheName" .) (include "maas.namespace" .) }}
{{- $_ := set $settings "payloadCache" (dict "url" $url "withTokens" ($values.payloadCache.withTokens | default false)) }}
{{- end }}
{{- with $values.payloadCheckMs }}{{- $_ := set $settings "payloadCheckMs" (int64 .) }}{{- end }}
{{- with $values.clusterId }}{{- $_ := set $settings "clusterId" (include "maas.text" .) }}{{- end }}
{{- toPrettyJson $settings }}
{{- end }}

{{/* What the operator may do where it serves ModelDeployments: src/contracts/permissions.ts. */}}
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
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
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
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
{{- end }}
