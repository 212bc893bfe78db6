{{/*
The values, as the templates use them. People set a value to null to be rid of a default, and Helm hands nulls on in
subcharts: a null is as good as left out. What is left out has the default that the program or Kubernetes has; below is
what templates rely on. Everything else here may be absent.
*/}}
{{- define "maas.values" -}}
{{- $defaults := `
acls: {view: {}, modify: {}}
agent: {resources: {}}
crds: {install: true}
hdfs: {nameservices: {}, user: maas}
image: {repository: maas-operator, pullPolicy: IfNotPresent}
legacy: {queue: {memory: {}, models: ["*"]}}
logLevel: info
metrics: {service: true, port: 8080, serviceMonitor: {}}
model: {image: {repository: maas-runtime, pullPolicy: IfNotPresent}, disruptionBudget: {enabled: true}, resources: {}}
namespaces: []
networkPolicy: {}
payloadCache: {size: 10Gi, resources: {}}
payloadRoot: maas/models
payloadStore: {}
podDisruptionBudget: {enabled: true}
rbac: {create: true, aggregate: true, publishSettings: true}
scheduling: {}
serviceAccount: {create: true}
zookeeper: {}
` | fromYaml }}
{{- $given := get (include "maas.withoutNulls" .Values | fromJson) "value" }}
{{- include "maas.over" (list $defaults $given) }}
{{- end }}

{{/* The first of two maps with all that the second one says, at any depth; as JSON. Sprig's own merges leave out what is false. */}}
{{- define "maas.over" -}}
{{- $under := index . 0 }}{{- $over := index . 1 }}
{{- $merged := dict }}
{{- range $key, $value := $under }}
{{- $given := get $over $key }}
{{- if not (hasKey $over $key) }}{{- $_ := set $merged $key $value }}
{{- else if and (kindIs "map" $value) (kindIs "map" $given) }}{{- $_ := set $merged $key (include "maas.over" (list $value $given) | fromJson) }}
{{- end }}
{{- end }}
{{- range $key, $value := $over }}
{{- if not (hasKey $merged $key) }}{{- $_ := set $merged $key $value }}{{- end }}
{{- end }}
{{- toJson $merged }}
{{- end }}

{{/* {"value": the value without nulls, at any depth}, as JSON. */}}
{{- define "maas.withoutNulls" -}}
{{- if kindIs "map" . }}
{{- $kept := dict }}
{{- range $key, $value := . }}
{{- if not (kindIs "invalid" $value) }}{{- $_ := set $kept $key (get (include "maas.withoutNulls" $value | fromJson) "value") }}{{- end }}
{{- end }}
{{- dict "value" $kept | toJson }}
{{- else if kindIs "slice" . }}
{{- $kept := list }}
{{- range . }}
{{- if not (kindIs "invalid" .) }}{{- $kept = append $kept (get (include "maas.withoutNulls" . | fromJson) "value") }}{{- end }}
{{- end }}
{{- dict "value" $kept | toJson }}
{{- else }}
{{- dict "value" . | toJson }}
{{- end }}
{{- end }}

{{/* A scalar as the text that was written: `5` and `true` need no quotes, and a large number gets no exponent. */}}
{{- define "maas.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ printf "%.0f" . }}{{ else }}{{ toString . }}{{ end }}
{{- end }}

{{/* A list of scalars as one of texts, and a map likewise; as JSON. */}}
{{- define "maas.listOfTexts" -}}
{{- $texts := list }}
{{- range . }}{{- $texts = append $texts (include "maas.text" .) }}{{- end }}
{{- toJson $texts }}
{{- end }}

{{- define "maas.texts" -}}
{{- $texts := dict }}
{{- range $key, $value := . }}{{- $_ := set $texts $key (include "maas.text" $value) }}{{- end }}
{{- toJson $texts }}
{{- end }}

{{/* The amount that a map has under a key, as text; nothing where it has none. Zero is an amount. */}}
{{- define "maas.amount" -}}
{{- if hasKey (index . 0) (index . 1) }}{{ include "maas.text" (get (index . 0) (index . 1)) }}{{ end }}
{{- end }}

{{/* Requests and limits, each amount as text; as JSON. */}}
{{- define "maas.resources" -}}
{{- $resources := dict }}
{{- range $part, $amounts := . }}
{{- $texts := dict }}
{{- range $name, $amount := $amounts }}
{{- $text := include "maas.text" $amount }}
{{- if $text }}{{- $_ := set $texts $name $text }}{{- end }}
{{- end }}
{{- $_ := set $resources $part $texts }}
{{- end }}
{{- toJson $resources }}
{{- end }}

{{/* Names of pull secrets, which may be given as names or as a Pod has them; as JSON. */}}
{{- define "maas.secretNames" -}}
{{- $names := list }}
{{- range . }}{{- $names = append $names (include "maas.text" (ternary (get (ternary . dict (kindIs "map" .)) "name") . (kindIs "map" .))) }}{{- end }}
{{- uniq $names | toJson }}
{{- end }}

{{- define "maas.pullSecrets" -}}
{{- with include "maas.secretNames" . | fromJsonArray }}
imagePullSecrets:
{{- range . }}
  - name: {{ quote . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Tolerations, whose values are texts; as YAML. */}}
{{- define "maas.tolerations" -}}
{{- $all := list }}
{{- range . }}
{{- $all = append $all (ternary (merge (dict "value" (include "maas.text" (get . "value"))) .) . (hasKey . "value")) }}
{{- end }}
{{- toYaml $all }}
{{- end }}
