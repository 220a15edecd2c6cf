"""What scripts/check-install runs; see there."""

import copy
import functools
import json
import os
import re
import subprocess
import sys
import tempfile

import checks
import kubernetes_validate
import kubernetes_validate.utils
import pod_security
import yaml
from checks import check

KUBECTL = os.environ["KUBECTL"]
HELM = os.environ["HELM"]
CHART = "charts/velokube"
VCO_URL = "https://vco.example.net"
# Kinds with schemas of their own, which those of Kubernetes do not know.
FOREIGN_KINDS = {"ServiceMonitor"}
# The first version of Kubernetes that has the API which an object is of, where that is later than 1.20.
FLOORS = {
    "PodDisruptionBudget": (1, 21), "ValidatingAdmissionPolicy": (1, 30), "ValidatingAdmissionPolicyBinding": (1, 30),
}
# Variables of `velokube run` that the chart sets by itself or has another value for, and the token's, which is for
# Secrets.
SET_BY_CHART = {
    "KUBECONFIG", "res_namespace", "VCO_URL", "VCO_TOKEN_FILE", "VCO_TOKEN", "VCO_CA_FILE", "VELOKUBE_STATE",
    "VELOKUBE_LISTEN", "VELOKUBE_LEADER_ELECT", "VELOKUBE_LEADER_ELECT_NAMESPACE", "VELOKUBE_LOG_LEVEL_FILE",
}
# Variables that the program's libraries read.
OF_LIBRARIES = {"HTTPS_PROXY", "NO_PROXY"}


def run(*command, input=None):
    """The exit code, what was printed, and what was complained of."""
    done = subprocess.run(command, input=input, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


def must(*command, input=None):
    code, output, complaint = run(*command, input=input)
    if code != 0:
        sys.exit(f"check-install: {' '.join(command)}: {complaint or output}")
    return output


def kustomize(*resources, components=(), namespace=None):
    """The objects of an overlay of ours."""
    # Kustomize takes no absolute path.
    with tempfile.TemporaryDirectory() as folder:
        here = os.path.relpath(os.getcwd(), os.path.realpath(folder))
        overlay = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": [f"{here}/manifests/{name}" for name in resources],
            "components": [f"{here}/manifests/components/{name}" for name in components],
        }
        if namespace:
            overlay["namespace"] = namespace
        with open(f"{folder}/kustomization.yaml", "w", encoding="utf-8") as file:
            yaml.safe_dump(overlay, file)
        return objects(must(KUBECTL, "kustomize", folder))


def chart(*settings, namespace="velokube-system"):
    """The objects of the chart, without its CustomResourceDefinitions."""
    flags = [f"--set={setting}" for setting in (f"vco.url={VCO_URL}", *settings)]
    return objects(must(HELM, "template", "velokube", CHART, "--namespace", namespace, *flags))


def objects(text):
    return [entry for entry in yaml.safe_load_all(text) if entry]


# Each way to install: what kustomize makes of the manifests, and what Helm makes of the chart.

OPERATOR = {"namespace": "velokube-system"}
INSTALLATIONS = {
    "cluster-wide": (lambda: kustomize("operator"), lambda: chart()),
    "for one namespace": (
        lambda: kustomize("operator-namespaced"), lambda: chart("namespaced=true", namespace="ns1")),
    "two replicas": (lambda: kustomize("overlays/two-replicas"), lambda: chart("replicas=2")),
    "with a ServiceMonitor": (
        lambda: kustomize("operator", components=["service-monitor"], **OPERATOR),
        lambda: chart("serviceMonitor.enabled=true")),
    "with a PodDisruptionBudget": (
        lambda: kustomize("overlays/two-replicas", components=["pod-disruption-budget"], **OPERATOR),
        lambda: chart("replicas=2", "podDisruptionBudget.enabled=true")),
    "on its way out": (
        lambda: kustomize("operator", components=["uninstall"], **OPERATOR),
        lambda: chart("uninstall.enabled=true")),
    "on its way out of one namespace": (
        lambda: kustomize("operator-namespaced", components=["uninstall"], namespace="ns1"),
        lambda: chart("namespaced=true", "uninstall.enabled=true", namespace="ns1")),
    "two replicas on their way out": (
        lambda: kustomize("overlays/two-replicas", components=["uninstall"], **OPERATOR),
        lambda: chart("replicas=2", "uninstall.enabled=true")),
}
# Helm is told of the namespace.
NOT_IN_CHART = {"Namespace"}


def plain(entries):
    """Objects by what they are; the hash in a ConfigMap's name, which each of the two counts in its own way, left
    out."""
    text = re.sub(r"velokube-config-[a-z0-9]{10}\b", "velokube-config", json.dumps(entries))
    return {f"{entry['kind']} {entry['metadata']['name']}": entry for entry in json.loads(text)
            if entry["kind"] not in NOT_IN_CHART}


def by_name(value):
    is_named = isinstance(value, list) and all(isinstance(entry, dict) and "name" in entry for entry in value)
    return {entry["name"]: entry for entry in value} if is_named else value


def differences(ours, theirs, where=""):
    """Where two values differ, and how. What is listed by name may be in any order, as with volumes."""
    ours, theirs = by_name(ours), by_name(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [line for key in sorted(ours.keys() | theirs.keys())
                for line in differences(ours.get(key), theirs.get(key), f"{where}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [line for index, pair in enumerate(zip(ours, theirs))
                for line in differences(*pair, f"{where}[{index}]")]
    return [] if ours == theirs else [f"{where}: manifests {json.dumps(ours)}, chart {json.dumps(theirs)}"]


def check_sameness():
    """Returns every object that is made, by its content."""
    made = {}
    for name, (manifests, helm) in INSTALLATIONS.items():
        ours, theirs = manifests(), helm()
        found = differences(plain(ours), plain(theirs))
        check(f"{name}: manifests and chart make the same", not found, "\n  ".join(["", *found]))
        for entry in ours + theirs:
            made[json.dumps(entry, sort_keys=True)] = entry
    for name in ("admission", "overlays/mandatory-limits", "overlays/vcn-cloud"):
        for entry in kustomize(name):
            made[json.dumps(entry, sort_keys=True)] = entry
    return list(made.values())


def content(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_one_source():
    for name in sorted(os.listdir(f"{CHART}/crds")):
        is_same = content(f"{CHART}/crds/{name}") == content(f"manifests/crd/{name}")
        check(f"{CHART}/crds/{name} is manifests/crd/{name}", is_same, f"cp manifests/crd/{name} {CHART}/crds/")
    definitions = {name for name in os.listdir("manifests/crd") if "CustomResourceDefinition" in
                   content(f"manifests/crd/{name}")} - {"kustomization.yaml"}
    check("the chart has every definition", definitions == set(os.listdir(f"{CHART}/crds")))
    release = re.search(r'velokubeVersion = "(.+)"', content("Sources/Operator/Version.swift"))[1]
    about = yaml.safe_load(content(f"{CHART}/Chart.yaml"))
    check(f"the chart is of the release {release}", about["version"] == about["appVersion"] == release)


# Values.

def check_values():
    code, output, complaint = run(HELM, "lint", "--strict", CHART, f"--set=vco.url={VCO_URL}")
    check("the chart is sound", code == 0, output + complaint)
    for setting in (
        "vco.url=", "vco.url=http://vco.example.net", "vco.url=vco.example.net", "vco.token=secret",
        "vco.existingSecret=", "replicas=3", "replicas=0", "namespaced=yes", "image.repositry=velokube", "image.tag=",
        "settings.VELOKUBE_WORKERS=0", "settings.VELOKUBE_RESYNC=5", "settings.VELOKUBE_ALLOW=all",
        "settings.VELOKUBE_PLACEMENT=middle", "settings.VCO_TOKEN=secret", "storage.size=much",
        "networkPolicy.ports={0}", "networkPolicy.dnsPorts={}", "unknown=1",
    ):
        code, _, complaint = run(HELM, "template", CHART, f"--set=vco.url={VCO_URL}", f"--set={setting}")
        name = setting.split("=")[0].split(".")[-1]
        is_named = re.search(rf"\b{name}\b", complaint.replace(VCO_URL, ""))
        check(f"{setting} is refused by name", code != 0 and is_named, complaint)
    made = plain(chart(
        "settings.VELOKUBE_RESYNC=1h30m", "settings.VELOKUBE_MAX_DELETES=10000000", "settings.VELOKUBE_DRY_RUN=true",
        r"settings.VELOKUBE_ALLOW=adopt\,orphan", "vco.caKey=ca.crt", "vco.existingSecret=token",
        "image.repository=registry.example/velokube", "image.tag=v1", "image.pullSecrets={registry}",
        "storage.className=fast", "storage.size=2Gi", "nodeSelector.zone=a", "networkPolicy.enabled=false"))
    equal = {
        "the settings are variables": (made["ConfigMap velokube-config"]["data"], {
            "VCO_URL": VCO_URL, "VCO_CA_FILE": "/etc/velokube/vco/ca.crt", "VELOKUBE_LEADER_ELECT": "true",
            "VELOKUBE_RESYNC": "1h30m", "VELOKUBE_MAX_DELETES": "10000000", "VELOKUBE_DRY_RUN": "true",
            "VELOKUBE_ALLOW": "adopt,orphan",
        }),
        "the volume is as asked for": (made["PersistentVolumeClaim velokube-state"]["spec"], {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "2Gi"}},
        }),
        "there is no NetworkPolicy": ("NetworkPolicy velokube" in made, False),
    }
    pod = made["Deployment velokube"]["spec"]["template"]["spec"]
    equal["the pod is as asked for"] = (
        [pod["containers"][0]["image"], pod["imagePullSecrets"], pod["nodeSelector"],
         pod["volumes"][0]["secret"]["secretName"]],
        ["registry.example/velokube:v1", [{"name": "registry"}], {"zone": "a"}, "token"])
    for what, (found, expected) in equal.items():
        check(what, found == expected, json.dumps(found))
    job = plain(chart("uninstall.enabled=true", "uninstall.orphan=true"))["Job velokube-uninstall"]
    command = job["spec"]["template"]["spec"]["containers"][0]["command"]
    check("rules can be left where they are", command == ["velokube", "uninstall", "--orphan"], str(command))
    names = [settings_name(chart(f"settings.VELOKUBE_RESYNC={value}m")) for value in (5, 6)]
    check("a changed setting restarts the operator", names[0] != names[1], str(names))
    check("and nothing else does", names[0] == settings_name(chart("settings.VELOKUBE_RESYNC=5m", "replicas=2")))


def settings_name(made):
    """The name of the ConfigMap that the pods take their settings from, which has to be there."""
    deployment = next(entry for entry in made if entry["kind"] == "Deployment")
    name = deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]
    check(f"the settings {name} are there", any(
        entry["kind"] == "ConfigMap" and entry["metadata"]["name"] == name for entry in made))
    return name


def check_settings():
    """Every variable of the program can be set, and no other."""
    text = must(".build/debug/velokube", "run", "--help")
    variables = set(re.findall(r"^  (\w+)", text[text.index("ENVIRONMENT"):text.index("EXAMPLES")], re.MULTILINE))
    known = json.loads(content(f"{CHART}/values.schema.json"))["properties"]["settings"]["properties"].keys()
    found = known ^ ((variables - SET_BY_CHART) | OF_LIBRARIES)
    check("the chart's settings are those of `velokube run`", not found, ", ".join(sorted(found)))


def check_page():
    """The page tells of every value, and of no other."""
    values = set()
    for name, schema in json.loads(content(f"{CHART}/values.schema.json"))["properties"].items():
        is_whole = name in {"global", "settings"} or "properties" not in schema
        values |= {name} if is_whole else {f"{name}.{inner}" for inner in schema["properties"]}
    section = content("docs/install.md").split("\n## With Helm\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.split("\n") if line.startswith("| `")]
    found = (values - {"global"}) ^ set(re.findall(r"`([^`]+)`", " ".join(rows)))
    check("docs/install.md tells of each value", not found, ", ".join(sorted(found)))


# Schemas.

kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


def refusal(entry, version):
    """Why the schema of a version refuses an object; "" if it takes it."""
    try:
        kubernetes_validate.validate(entry, version, strict=True)
        return ""
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return error.message


def check_schemas(made):
    versions = kubernetes_validate.utils.all_versions()
    check("the schemas are old and new", versions[0] == "1.25.0" and versions[-1] == "1.37.0", str(versions))
    for entry in made:
        kind = entry["kind"]
        if kind in FOREIGN_KINDS:
            continue
        for version in versions:
            is_there = tuple(map(int, version.split(".")[:2])) >= FLOORS.get(kind, (1, 20))
            found = refusal(entry, version)
            check(f"{kind} {entry['metadata']['name']} fits Kubernetes {version}", bool(found) != is_there, found)
    deployment = copy.deepcopy(next(entry for entry in made if entry["kind"] == "Deployment"))
    for path, value in {"spec.replica": 1, "spec.replicas": "one", "spec.template.spec.serviceAcountName": "a"}.items():
        wrong = changed(deployment, path, value)
        is_refused = all(refusal(wrong, version) for version in versions)
        check(f"a Deployment with {path}: {value} fits no version", is_refused)


# Pods.

def changed(value, path, new=None):
    """A copy with one member set, or taken away without a new value."""
    result = copy.deepcopy(value)
    *way, last = path.split(".")
    inner = result
    for key in way:
        inner = inner.setdefault(key, {})
    inner.pop(last, None)
    if new is not None:
        inner[last] = new
    return result


def check_pods(made):
    pods = [(entry, entry["spec"]["template"]) for entry in made if "template" in entry.get("spec", {})]
    check("there are pods", len(pods) >= 2)
    for entry, pod in pods:
        found = pod_security.violations(pod["metadata"], pod["spec"])
        check(f"the pods of {entry['kind']} {entry['metadata']['name']} are restricted", not found, "; ".join(found))
        for container in pod["spec"]["containers"]:
            is_locked = container.get("securityContext", {}).get("readOnlyRootFilesystem") is True
            check(f"{entry['kind']}: the root of {container['name']} is read-only", is_locked)
    namespace = next(entry for entry in made if entry["kind"] == "Namespace")
    check("the namespace enforces it",
          namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") == "restricted")
    # Whether the check would find it: each thing taken away, and each put in.
    metadata, spec = pods[0][1]["metadata"], pods[0][1]["spec"]
    for where, path, *new in pod_security.TAKEN_AWAY + pod_security.PUT_IN:
        if where == pod_security.POD:
            wrong = changed(spec, path, *new)
        else:
            wrong = changed(spec, "containers", [changed(spec["containers"][0], path, *new)])
        what = f"{path}: {json.dumps(new[0])}" if new else f"no {path}"
        check(f"a {where} with {what} is not restricted", pod_security.violations(metadata, wrong) != [])
    loose = {"annotations": {pod_security.APPARMOR_ANNOTATION + "velokube": "unconfined"}}
    check("a pod that AppArmor leaves alone is not restricted", pod_security.violations(loose, spec) != [])


# The API server.

def check_server(made):
    version = json.loads(must(KUBECTL, "get", "--raw", "/version"))
    served = (int(version["major"]), int(re.match(r"\d+", version["minor"])[0]))
    must(KUBECTL, "apply", "-k", "manifests/crd")
    for name in sorted({entry["metadata"]["namespace"] for entry in made if "namespace" in entry["metadata"]}):
        run(KUBECTL, "create", "namespace", name)
    for entry in made:
        kind = entry["kind"]
        code, _, complaint = run(
            KUBECTL, "apply", "--dry-run=server", "--validate=strict", "-f", "-", input=json.dumps(entry))
        if kind in FOREIGN_KINDS or served < FLOORS.get(kind, (1, 20)):
            check(f"{kind} is not known to this server", "no matches for kind" in complaint, complaint)
        else:
            check(f"{kind} {entry['metadata']['name']} is taken by this server", code == 0, complaint)


def check_release():
    """The life of a release on the API server; nothing runs there, so nothing is awaited."""
    everywhere = ["velokube", "--namespace", "helm-cluster-wide"]
    must(HELM, "install", everywhere[0], CHART, "--create-namespace", *everywhere[1:], "--set", f"vco.url={VCO_URL}")
    check("it goes beside manifests/crd", must(HELM, "status", *everywhere).count("STATUS: deployed") == 1)
    must(HELM, "uninstall", *everywhere)
    where = ["--namespace", "helm"]
    flags = [*where, "--set", f"vco.url={VCO_URL},namespaced=true"]
    output = must(HELM, "install", "velokube", CHART, "--create-namespace", *flags)
    check("its notes say what to do next", "kubectl -n helm create secret generic velokube-vco" in output, output)
    names = must(KUBECTL, "get", "deploy,pvc,netpol,role", "-n", "helm", "-o", "name").split()
    check("its objects are there", sorted(names) == [
        "deployment.apps/velokube", "networkpolicy.networking.k8s.io/velokube", "persistentvolumeclaim/velokube-state",
        "role.rbac.authorization.k8s.io/velokube", "role.rbac.authorization.k8s.io/velokube-leader-election",
    ], str(names))
    must(HELM, "upgrade", "velokube", CHART, *flags, "--set", "replicas=2")
    replicas = must(KUBECTL, "get", "deploy", "velokube", "-n", "helm", "-o", "jsonpath={.spec.replicas}")
    check("it has become two replicas", replicas == "2")
    must(HELM, "uninstall", "velokube", *where)
    ours = ["-l", "app.kubernetes.io/name=velokube"]
    left = must(KUBECTL, "get", "deploy,cm,netpol,role,sa", "-n", "helm", "-o", "name", *ours)
    check("nothing of it is left", left == "", left)
    definitions = must(KUBECTL, "get", "crd", "-o", "name").split()
    stays = "customresourcedefinition.apiextensions.k8s.io/velocloudbps.vcn.cloud"
    check("but the definitions are", stays in definitions)


made = check_sameness()
check_one_source()
check_values()
check_settings()
check_page()
check_schemas(made)
check_pods(made)
check_server(made)
check_release()
checks.end("check-install")
