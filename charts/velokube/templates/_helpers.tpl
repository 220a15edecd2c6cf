{{/* The settings: the data of a ConfigMap. Numbers are written in full, not as 1e+06. */}}
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

{{/* The name contains a hash of the content, so that a changed setting restarts the operator. */}}
{{- define "velokube.configName" -}}
velokube-config-{{ include "velokube.config" . | sha256sum | trunc 10 }}
{{- end }}

{{/* The parts that the operator's pod and the uninstall pod share, except for their containers. */}}
{{- define "velokube.pod" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
volumes:
  # Mounted as files, not as variables, so that velokube uses a new token without a restart.
  - name: vco
    secret:
      secretName: {{ .Values.vco.existingSecret }}
      optional: false
      defaultMode: 0440
  # An optional ConfigMap: its key `level` sets the log level without a restart.
  - name: log-level
    configMap:
      name: velokube-log-level
      optional: true
  - name: state
    {{- if gt (int .Values.replicas) 1 }}
    emptyDir:
      sizeLimit: 1Gi
    {{- else }}
    persistentVolumeClaim:
      claimName: velokube-state
    {{- end }}
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
{{- end }}

{{/* The parts that their containers share. */}}
{{- define "velokube.container" -}}
image: {{ printf "%s:%s" .Values.image.repository .Values.image.tag | quote }}
imagePullPolicy: IfNotPresent
envFrom:
  - configMapRef:
      name: {{ include "velokube.configName" . }}
env:
  {{- if .Values.namespaced }}
  - name: res_namespace
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  {{- end }}
  - name: VCO_TOKEN_FILE
    value: /etc/velokube/vco/token
  - name: VELOKUBE_STATE
    value: /var/lib/velokube/ledger.db
  - name: VELOKUBE_LISTEN
    value: ":8080"
  - name: VELOKUBE_LOG_LEVEL_FILE
    value: /etc/velokube/log/level
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: vco
    mountPath: /etc/velokube/vco
    readOnly: true
  - name: log-level
    mountPath: /etc/velokube/log
    readOnly: true
  - name: state
    mountPath: /var/lib/velokube
  - name: tmp
    mountPath: /tmp
{{- end }}
