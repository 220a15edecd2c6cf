{{/* The settings: a ConfigMap's data. Numbers are written out, not as 1e+06. */}}
{{- define "velokube.config" -}}
VCO_URL: {{ .Values.vco.url | quote }}
{{- with .Values.vco.caKey }}
VCO_CA_FILE: {{ printf "/etc/velokube/vco/%s" . | quote }}
{{- end }}
VELOKUBE_LEADER_ELECT: "true"
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ if kindIs "float64" $value }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- end }}

{{/* Its name carries a hash of the content, so that a change of the settings restarts the operator. */}}
{{- define "velokube.configName" -}}
velokube-config-{{ include "velokube.config" . | sha256sum | trunc 10 }}
{{- end }}
