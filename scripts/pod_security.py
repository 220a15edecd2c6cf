"""The Pod Security Standard "restricted", as Kubernetes publishes it, as a function over a pod's spec."""

VOLUME_TYPES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


def violations(metadata, spec):
    """What breaks the standard, in words; empty for a pod that fits it."""
    found = [f"{name} is true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    found += [f"annotation {key}: {value}" for key, value in (metadata.get("annotations") or {}).items()
              if key.startswith(APPARMOR_ANNOTATION)
              and value not in ("", "runtime/default") and not value.startswith("localhost/")]
    for volume in spec.get("volumes", []):
        found += [f"volume {volume['name']}: {kind}" for kind in sorted(set(volume) - {"name"} - VOLUME_TYPES)]
    pod = spec.get("securityContext") or {}
    found += [f"sysctl {entry['name']}" for entry in pod.get("sysctls", []) if entry["name"] not in SYSCTLS]
    found += _shared("the pod", pod)
    containers = [container for kind in ("initContainers", "containers", "ephemeralContainers")
                  for container in spec.get(kind, [])]
    for container in containers:
        found += _container(container, pod)
    return found


def _shared(where, context):
    """What a pod's and a container's securityContext have in common."""
    found = []
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        found.append(f"{where}: windowsOptions.hostProcess is true")
    if context.get("runAsUser") == 0:
        found.append(f"{where}: runAsUser is 0")
    options = context.get("seLinuxOptions") or {}
    if options.get("user") or options.get("role") or options.get("type", "") not in SELINUX_TYPES:
        found.append(f"{where}: seLinuxOptions")
    if (context.get("appArmorProfile") or {}).get("type", "RuntimeDefault") not in ("RuntimeDefault", "Localhost"):
        found.append(f"{where}: appArmorProfile")
    return found


def _container(container, pod):
    where = f"container {container['name']}"
    own = container.get("securityContext") or {}
    found = _shared(where, own)
    if own.get("privileged"):
        found.append(f"{where}: privileged is true")
    if own.get("allowPrivilegeEscalation") is not False:
        found.append(f"{where}: allowPrivilegeEscalation is not false")
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        found.append(f"{where}: runAsNonRoot is not true")
    seccomp = own.get("seccompProfile", pod.get("seccompProfile")) or {}
    if seccomp.get("type") not in ("RuntimeDefault", "Localhost"):
        found.append(f"{where}: seccompProfile is not RuntimeDefault or Localhost")
    if own.get("procMount", "Default") != "Default":
        found.append(f"{where}: procMount")
    capabilities = own.get("capabilities") or {}
    if "ALL" not in capabilities.get("drop", []):
        found.append(f"{where}: capabilities are not dropped, ALL of them")
    found += [f"{where}: capability {name}" for name in capabilities.get("add", []) if name != "NET_BIND_SERVICE"]
    found += [f"{where}: hostPort {port['hostPort']}" for port in container.get("ports", []) if port.get("hostPort")]
    handlers = [container.get(probe) or {} for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
    handlers += (container.get("lifecycle") or {}).values()
    if any((handler.get(kind) or {}).get("host") for handler in handlers for kind in ("httpGet", "tcpSocket")):
        found.append(f"{where}: a probe or hook names a host")
    return found


# Each takes a pod that fits the standard and makes one that does not: what is taken away from it, or put in. CONTAINER
# stands for its first container.
POD, CONTAINER = "pod", "container"
TAKEN_AWAY = [
    (POD, "securityContext.runAsNonRoot"), (POD, "securityContext.seccompProfile"), (POD, "securityContext"),
    (CONTAINER, "securityContext.allowPrivilegeEscalation"), (CONTAINER, "securityContext.capabilities.drop"),
    (CONTAINER, "securityContext.capabilities"), (CONTAINER, "securityContext"),
]
PUT_IN = [
    (POD, "hostNetwork", True), (POD, "hostPID", True), (POD, "hostIPC", True),
    (POD, "volumes", [{"name": "host", "hostPath": {"path": "/"}}]),
    (POD, "volumes", [{"name": "share", "nfs": {"server": "a", "path": "/"}}]),
    (POD, "securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    (POD, "securityContext.runAsUser", 0), (POD, "securityContext.runAsNonRoot", False),
    (POD, "securityContext.seccompProfile", {"type": "Unconfined"}),
    (POD, "securityContext.seLinuxOptions", {"type": "spc_t"}),
    (POD, "securityContext.windowsOptions", {"hostProcess": True}),
    (POD, "securityContext.appArmorProfile", {"type": "Unconfined"}),
    (CONTAINER, "securityContext.privileged", True), (CONTAINER, "securityContext.allowPrivilegeEscalation", True),
    (CONTAINER, "securityContext.runAsUser", 0), (CONTAINER, "securityContext.runAsNonRoot", False),
    (CONTAINER, "securityContext.seccompProfile", {"type": "Unconfined"}),
    (CONTAINER, "securityContext.procMount", "Unmasked"),
    (CONTAINER, "securityContext.capabilities.add", ["SYS_ADMIN"]),
    (CONTAINER, "securityContext.capabilities.drop", ["NET_RAW"]),
    (CONTAINER, "securityContext.seLinuxOptions", {"user": "system_u"}),
    (CONTAINER, "securityContext.appArmorProfile", {"type": "Unconfined"}),
    (CONTAINER, "ports", [{"containerPort": 8080, "hostPort": 8080}]),
    (CONTAINER, "livenessProbe", {"httpGet": {"host": "169.254.169.254", "port": 80}}),
]
