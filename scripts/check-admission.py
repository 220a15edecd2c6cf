"""What scripts/check-admission runs; see there."""

import json
import os
import re
import subprocess
import sys
import time

import checks
import yaml
from cel_expr_python import cel
from cel_expr_python.ext import ext_strings
from checks import check

# What the API server takes of a message; one that is longer, or of several lines, is not printed.
MESSAGE_BYTES_MAX = 5120
# The functions and macros that the policy may call: all are in the CEL of Kubernetes 1.30. The CEL that runs them here
# has others, which would pass here and be refused there.
KUBERNETES_FUNCTIONS = {
    "all", "exists", "filter", "map", "dyn", "int", "size", "string",
    "endsWith", "join", "lowerAscii", "matches", "split", "startsWith", "substring",
}
IN_EFFECT_SECONDS_MAX = 60


class Failure(Exception):
    """An expression that has no value."""


class Policy:
    """A ValidatingAdmissionPolicy, decided in the way of the API server."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.spec = yaml.safe_load(file)["spec"]
        names = ("object", "oldObject", "params", "request", "variables")
        self.environment = cel.NewEnv(
            variables={name: cel.Type.DYN for name in names}, extensions=[ext_strings.ExtStrings()]
        )

    def expressions(self):
        """Where each expression stands, and the expression."""
        for part in ("matchConditions", "variables"):
            for entry in self.spec[part]:
                yield entry["name"], entry["expression"]
        for entry in self.spec["validations"]:
            yield "validation", entry["expression"]
            yield "message", entry["messageExpression"]

    def value(self, expression, data):
        # Unchecked, since this checker does not take spec['fqdn-patterns'] for a list; the API server's does.
        result = self.environment.compile(expression, disable_check=True).eval(data=data)
        if result.type() == cel.Type.ERROR:
            raise Failure(result.plain_value())
        return result.plain_value()

    def refusal(self, new, limit, old=None):
        """The words with which it refuses to make `new`, or to put it in the place of `old`; "" if it does not."""
        request = {"operation": "UPDATE" if old else "CREATE"}
        data = {"object": new, "oldObject": old, "params": limit, "request": request, "variables": {}}
        try:
            if not all(self.value(condition["expression"], data) for condition in self.spec["matchConditions"]):
                return ""
            for variable in self.spec["variables"]:
                data["variables"][variable["name"]] = self.value(variable["expression"], data)
            words = [self.message(validation, data) for validation in self.spec["validations"]
                     if not self.value(validation["expression"], data)]
            return words[0] if words else ""
        except Failure as failure:
            return f"the expression fails: {failure}" if self.spec["failurePolicy"] == "Fail" else ""

    def message(self, validation, data):
        try:
            words = self.value(validation["messageExpression"], data)
        except Failure:
            words = ""
        fits = words.strip() and "\n" not in words and len(words.encode()) <= MESSAGE_BYTES_MAX
        return words if fits else validation["message"]


def resource(spec, name="checked", **metadata):
    return {"apiVersion": "vcn.cloud/v1", "kind": "VelocloudBP", "metadata": {"name": name, **metadata}, "spec": spec}


def limit(spec, name="checked", **metadata):
    return {**resource(spec, name, **metadata), "kind": "VelocloudLimit"}


ASKED = {"profile": "Quick Start Profile", "fqdn": "app.shop.example", "dport": 443, "bandwidth-limit": 75}
HALF = {"bandwidth-limit": {"maximum": 50}}
OVER_HALF = 'spec.bandwidth-limit 75 is over 50, the maximum of VelocloudLimit "checked"'


def check_expressions(policy):
    for name, expression in policy.expressions():
        bare = re.sub(r"'[^']*'", "''", expression)
        unknown = set(re.findall(r"(\w+)\(", bare)) - KUBERNETES_FUNCTIONS
        check(f"{name} calls what Kubernetes has", not unknown, ", ".join(sorted(unknown)))
        check(f"{name} knows no other name for a field with a dash", "__dash__" not in expression)


def check_table(policy, cases):
    for case in cases:
        expected = "; ".join(case["violations"])
        found = policy.refusal(resource(case["spec"]), limit(case["limit"]))
        check(f"{case['name']}: expected [{expected}]", found == expected, f"found [{found}]")


def check_updates(policy):
    tightened = limit(HALF)
    old = resource(ASKED)
    changed = resource({**ASKED, "dport": 8443})
    check("a resource that breaks a limit is not made", policy.refusal(old, tightened) == OVER_HALF)
    check("an update that changes nothing passes", policy.refusal(old, tightened, old) == "")
    for what, metadata in {
        "the operator's finalizer": {"finalizers": ["vcn.cloud/business-policy"]},
        "a label": {"labels": {"team": "shop"}},
        "an annotation": {"annotations": {"vcn.cloud/paused": "true"}},
    }.items():
        other = resource(ASKED, **metadata)
        check(f"{what} passes though a limit was tightened", policy.refusal(other, tightened, old) == "")
        check(f"{what} may also go", policy.refusal(old, tightened, other) == "")
    status = {**old, "status": {"observedGeneration": 1}}
    check("a status passes though a limit was tightened", policy.refusal(status, tightened, old) == "")
    check("a changed spec that still breaks a limit is refused", policy.refusal(changed, tightened, old) == OVER_HALF)
    within = resource({**ASKED, "bandwidth-limit": 50})
    check("a spec that is brought within the limit passes", policy.refusal(within, tightened, old) == "")
    check("a spec that leaves the limit is refused", policy.refusal(old, tightened, within) == OVER_HALF)
    named = resource({**ASKED, "name": "rule"})
    check("a field that no limit speaks of is of the spec as well", policy.refusal(named, tightened, old) == OVER_HALF)


def check_failures(policy):
    for field, value in {
        "profiles": 7, "segments": "Global Segment", "fqdn-patterns": 7, "dports": 443, "protocols": "tcp",
        "service-classes": 1, "priorities": True, "link-policies": "auto", "service-groups": "ALL",
        "bandwidth-limit": 100, "order": 0,
    }.items():
        found = policy.refusal(resource(ASKED), limit({field: value}))
        check(f"{field}: {value} is refused as an error", found.startswith("the expression fails"), found)
    for spec in ({"bandwidth-limit": {}}, {"order": {}}, {"dports": [{}]}, {"fqdn-patterns": [1]}):
        found = policy.refusal(resource(ASKED), limit(spec))
        check(f"{spec} is refused as an error", found.startswith("the expression fails"), found)
    found = policy.refusal(resource(ASKED), {"metadata": {"name": "checked"}})
    check("a limit without a spec is refused as an error", found.startswith("the expression fails"), found)
    long = limit({"profiles": ["other"]}, name="n" * MESSAGE_BYTES_MAX)
    found = policy.refusal(resource(ASKED), long)
    check("what is too long to print has words", found.startswith("the resource breaks"), found)


class Cluster:
    """A real API server."""

    DENIED = "ValidatingAdmissionPolicy 'velokube-limits' with binding 'velokube-limits' denied request: "

    def __init__(self, kubectl, kubeconfig):
        self.command = [kubectl, "--kubeconfig", kubeconfig]

    def run(self, *arguments, objects=None):
        """The exit code, and what was printed."""
        text = None
        if objects is not None:
            text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        done = subprocess.run(
            [*self.command, *arguments], input=text, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        return done.returncode, done.stdout

    def must(self, *arguments, objects=None):
        code, output = self.run(*arguments, objects=objects)
        if code != 0:
            sys.exit(f"check-admission: kubectl {' '.join(arguments)}: {output}")
        return output

    def has_policies(self):
        found = json.loads(self.must("get", "--raw", "/apis/admissionregistration.k8s.io/v1"))
        return any(entry["name"] == "validatingadmissionpolicies" for entry in found["resources"])

    def refusals(self, objects):
        """What kubectl says of each object, by name, when it asks the server to make it; nothing is stored."""
        _, output = self.run("create", "--dry-run=server", "--validate=false", "-f", "-", objects=objects)
        answers = {}
        for line in output.splitlines():
            if taken := re.match(r"\S+/(\S+) created \(server dry run\)$", line):
                answers[taken[1]] = ""
            elif named := re.search(r'(?:vcn\.cloud|The Velocloud\w+) "([^"]+)" is ', line):
                answers[named[1]] = line
        return {entry["metadata"]["name"]: answers.get(entry["metadata"]["name"], output) for entry in objects}

    def await_words(self, entry, words):
        """Until the refusal of an object says `words`: policies and limits take a moment to be in effect."""
        deadline = time.monotonic() + IN_EFFECT_SECONDS_MAX
        while words not in (found := self.refusals([entry])[entry["metadata"]["name"]]):
            if time.monotonic() > deadline:
                sys.exit(f"check-admission: this is not in effect after {IN_EFFECT_SECONDS_MAX} s: {words}\n{found}")
            time.sleep(0.1)


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def check_schemas(cluster, cases):
    limits = cluster.refusals([limit(case["limit"], case["name"], namespace="default") for case in cases])
    resources = cluster.refusals([resource(case["spec"], case["name"], namespace="default") for case in cases])
    for case in cases:
        name = case["name"]
        is_taken = limits[name] == ""
        expected = case.get("schema", True)
        check(f"{name}: the schema {'takes' if expected else 'refuses'} the limit", is_taken == expected, limits[name])
        check(f"{name}: the schema takes the resource", resources[name] == "", resources[name])


def check_table_on_server(cluster, cases):
    cases = [case for case in cases if case.get("schema", True)]
    objects = [namespace(case["name"]) for case in cases]
    objects += [limit(case["limit"], namespace=case["name"]) for case in cases]
    # Made last, so that when it is in effect, all are.
    objects += [namespace("made-last"), limit(HALF, namespace="made-last")]
    cluster.must("create", "-f", "-", objects=objects)
    cluster.await_words(resource(ASKED, namespace="made-last"), OVER_HALF)
    found = cluster.refusals([resource(case["spec"], case["name"], namespace=case["name"]) for case in cases])
    for case in cases:
        expected = "; ".join(case["violations"])
        said = found[case["name"]]
        is_so = said.endswith(": " + cluster.DENIED + expected) if expected else said == ""
        check(f"{case['name']} on the server: expected [{expected}]", is_so, f"found [{said}]")


def check_updates_on_server(cluster):
    own = ("-n", "standing", "velo/checked")
    cluster.must("create", "-f", "-", objects=[namespace("standing"), resource(ASKED, namespace="standing")])
    cluster.must("create", "-f", "-", objects=[limit(HALF, namespace="standing")])
    cluster.await_words(resource(ASKED, "another", namespace="standing"), OVER_HALF)

    def patched(patch):
        return cluster.run("patch", *own, "--type", "merge", "-p", json.dumps(patch))

    code, said = patched({"metadata": {"labels": {"team": "shop"}}})
    check("a label passes on the server", code == 0, said)
    code, said = patched({"metadata": {"finalizers": ["vcn.cloud/business-policy"]}})
    check("the operator's finalizer passes on the server", code == 0, said)
    code, said = patched({"spec": {"dport": 8443}})
    check("a changed spec is refused on the server", code != 0 and OVER_HALF in said, said)
    # From here on a namespace without a limit may make nothing, but what is there can be let go of.
    cluster.must("delete", "-n", "standing", "velolimit/checked")
    cluster.must("apply", "-k", "manifests/overlays/mandatory-limits")
    cluster.await_words(resource(ASKED, "another", namespace="standing"), "no params found")
    code, said = patched({"metadata": {"finalizers": []}})
    check("the finalizer may go where limits are mandatory and there is none", code == 0, said)


def check_server(cluster, cases):
    cluster.must("apply", "-k", "manifests/crd")
    for plural in ("velocloudbps", "velocloudlimits"):
        cluster.must("wait", "--for", "condition=Established", f"crd/{plural}.vcn.cloud", "--timeout", "30s")
    check_schemas(cluster, cases)
    if not cluster.has_policies():
        version = json.loads(cluster.must("get", "--raw", "/version"))["gitVersion"]
        print(f"check-admission: this API server ({version}) has no ValidatingAdmissionPolicy (1.30 has): schemas only")
        return
    cluster.must("apply", "-k", "manifests/admission")
    check_table_on_server(cluster, cases)
    check_updates_on_server(cluster)


def main():
    with open("Tests/Fixtures/limits/cases.json", encoding="utf-8") as file:
        cases = json.load(file)
    policy = Policy("manifests/admission/policy.yaml")
    check_expressions(policy)
    check_table(policy, cases)
    check_updates(policy)
    check_failures(policy)
    if "VELOKUBE_TEST_KUBECONFIG" in os.environ:
        check_server(Cluster(os.environ["KUBECTL"], os.environ["VELOKUBE_TEST_KUBECONFIG"]), cases)
    checks.end("check-admission")


main()
