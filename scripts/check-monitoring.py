"""The work of scripts/check-monitoring, which tells what it is."""

import base64
import contextlib
import glob
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

WAIT_SECONDS_MAX = 60
RULES = "manifests/monitoring/prometheus-rule.yaml"
DASHBOARD = "manifests/monitoring/dashboard.json"
PICTURE = "docs/pictures/dashboard.png"
KUBECTL = os.environ["KUBECTL"]
# What Grafana fills in, on a run in which minutes are seconds.
VARIABLES = {"$__rate_interval": "15s", "$namespace": ".*", "[5m]": "[15s]"}
passed = 0


def so(what, is_so, otherwise=""):
    """What must be so; the first thing that is not ends the check."""
    global passed
    if not is_so:
        sys.exit(f"NOT SO: {what}\n{otherwise}")
    passed += 1
    print(f"  so: {what}", flush=True)


def content(path):
    with open(path) as file:
        return file.read()


def plain_rules():
    """The content of the PrometheusRule, as a file of rules for Prometheus itself."""
    return re.sub(r"^  ", "", content(RULES).split("\nspec:\n")[1], flags=re.MULTILINE)


# Without a run.


def check_static(folder):
    rules, tests, page = plain_rules(), content("Tests/Monitoring/alerts.yaml"), content("docs/alerts.md")
    with open(f"{folder}/rules.yaml", "w") as file:
        file.write(rules)
    shutil.copy("Tests/Monitoring/alerts.yaml", folder)
    for command in (["check", "rules", "rules.yaml"], ["test", "rules", "alerts.yaml"]):
        done = subprocess.run(["promtool", *command], cwd=folder, capture_output=True, text=True)
        so(f"promtool {' '.join(command)}", done.returncode == 0, done.stdout + done.stderr)
    alerts = set(re.findall(r"- alert: (\w+)", rules))
    headings = set(re.findall(r"^## (Velokube\w+)$", page, re.MULTILINE))
    so("each alert has its heading in docs/alerts.md, and each heading its alert", alerts == headings,
       f"{alerts ^ headings}")
    links = re.findall(r"- alert: (\w+)\n(?:.*\n)*?.*runbook_url: (\S+)", rules)
    so("each alert leads to its heading",
       links and all(url == f"docs/alerts.md#{name.lower()}" for name, url in links), f"{links}")
    fires = set(re.findall(r"alertname: (\w+)\n +exp_alerts:", tests))
    quiet = set(re.findall(r"alertname: (\w+), exp_alerts: \[\]", tests))
    so("each alert is tested to fire, and not too early", alerts == fires == quiet,
       f"fires: {alerts ^ fires}, quiet: {alerts ^ quiet}")
    code = "".join(content(path) for path in glob.glob("Sources/*/*.swift"))
    lines = re.findall(r"`(The [^`]+|VCO call failed|Drift corrected|Leadership is lost|Too many [^`]+)`",
                       page + content("docs/operate.md"))
    so("velokube logs the lines that docs/alerts.md and docs/operate.md name", lines and all(f'"{line}' in code for line in lines),
       f"{[line for line in lines if f'{chr(34)}{line}' not in code]}")
    known = set(re.findall(r"^\| `(\w+)`", content("docs/metrics.md"), re.MULTILINE))
    for place in (RULES, DASHBOARD):
        # In a text the name of a metric is followed by labels, a range or nothing; here only the names count.
        used = set(re.findall(r"\b(?:velokube|workqueue)_\w+", "\n".join(expressions(place))))
        unknown = {name for name in used if re.sub(r"_(bucket|sum|count)$", "", name) not in known}
        so(f"{place} uses metrics of docs/metrics.md alone", used and not unknown, f"{unknown}")
    rendered = subprocess.check_output([KUBECTL, "kustomize", "manifests/monitoring"], text=True)
    so("kustomize renders the rules and the dashboard",
       "kind: PrometheusRule" in rendered and '"uid": "velokube"' in rendered)


def expressions(place):
    if place == DASHBOARD:
        return [target["expr"] for panel in json.loads(content(place))["panels"] for target in panel["targets"]]
    return re.findall(r"expr: (.*(?:\n {10,}.*)*)", plain_rules())


# What a run is made of.


def free_port():
    """Below the range that outgoing connections take theirs from: a way that is closed must find its port again."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = random.randrange(20000, 32000)
            probe.bind(("127.0.0.1", port))
            return port


def fetch(url, body=None, method=None, kind="application/json"):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": kind} if data else {}, method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.read().decode()


def is_well(url):
    with contextlib.suppress(OSError):
        fetch(url)
        return True
    return False


def becomes(what, condition, seconds_max=WAIT_SECONDS_MAX, otherwise=lambda: ""):
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, KeyError, IndexError, ValueError):
            if condition():
                so(what, True)
                return
        time.sleep(0.2)
    so(what, False, otherwise())


class Way:
    """A TCP port that leads to another, and can be closed and opened again like a network."""

    def __init__(self, target):
        self.target, self.port, self.listener, self.sockets = target, free_port(), None, set()
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, args=[self.listener], daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in list(self.sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(self, listener):
        with contextlib.suppress(OSError):
            while True:
                near = listener.accept()[0]
                far = socket.create_connection(self.target)
                self.sockets |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self.copy, args=[source, sink], daemon=True).start()

    def copy(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.sockets.discard(source)


class Pod:
    """A replica of velokube, and the kubelet that starts it anew when it ends or its liveness probe fails."""

    def __init__(self, run, name):
        self.run, self.name, self.port = run, name, free_port()
        self.state = f"{run.folder}/{name}/ledger.db"
        os.makedirs(os.path.dirname(self.state))
        self.process, self.is_over = None, threading.Event()
        self.keeper = threading.Thread(target=self.keep, daemon=True)
        self.keeper.start()

    def keep(self):
        misses = 0
        while not self.is_over.wait(1):
            if self.process is None or self.process.poll() is not None:
                misses = 0
                self.process = self.run.start(f"velokube-{self.name}", [
                    ".build/debug/velokube", "run", "--kubeconfig", f"{self.run.folder}/operator.kubeconfig",
                    "--vco-url", f"http://127.0.0.1:{self.run.vco_way.port}", "--vco-token-file", self.run.token_file,
                    "--state", self.state, "--resync", "2s", "--listen", f"127.0.0.1:{self.port}",
                    "--leader-elect", "--leader-elect-namespace", "velokube-system"])
                continue
            misses = 0 if is_well(f"http://127.0.0.1:{self.port}/healthz") else misses + 1
            if misses == 20:
                self.process.kill()

    def metrics(self):
        return fetch(f"http://127.0.0.1:{self.port}/metrics")

    def stop(self):
        self.is_over.set()
        self.keeper.join()


class Run:
    # A JWT with an end, as the VCO makes them.
    TOKEN = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256"}, {"exp": int(time.time()) + 30 * 86400}, "not looked at"))
    API = "/apis/vcn.cloud/v1/namespaces/shop"

    def __init__(self, folder):
        self.folder, self.processes, self.breakages = folder, [], []
        self.token_file = f"{folder}/token"
        self.write_token(self.TOKEN)

    def start(self, name, command, **more):
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with open(f"{self.folder}/{name}.log", "a") as log:
            process = subprocess.Popen(
                guard + command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **more)
        self.processes.append(process)
        return process

    def first_line(self, name):
        """The first line that a program of the run prints."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < deadline:
            lines = content(f"{self.folder}/{name}.log").split("\n")
            if len(lines) > 1:
                return lines[0]
            time.sleep(0.1)
        sys.exit(f"{name} says nothing")

    def write_token(self, token):
        with open(self.token_file, "w") as file:
            file.write(token)

    # The cluster.

    def kubectl(self, *arguments):
        return subprocess.check_output(
            [KUBECTL, "--kubeconfig", os.environ["VELOKUBE_TEST_KUBECONFIG"], *arguments], text=True)

    def api(self, path, body=None, method=None):
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return json.loads(fetch(self.proxy + path, body, method, kind))

    def set_up_cluster(self):
        self.kubectl("apply", "-k", "manifests/crd")
        self.kubectl("apply", "-k", "manifests/operator")
        for name in ("velocloudbps", "velocloudlimits"):
            self.kubectl("wait", "--for", "condition=Established", f"crd/{name}.vcn.cloud", "--timeout", "30s")
        self.kubectl("create", "namespace", "shop")
        self.start("proxy", [
            KUBECTL, "--kubeconfig", os.environ["VELOKUBE_TEST_KUBECONFIG"], "proxy", "--port", "0"])
        self.proxy = "http://" + self.first_line("proxy").split()[-1]
        kubeconfig = content(os.environ["VELOKUBE_TEST_KUBECONFIG"])
        host, port = re.search(r"server: https://([\d.]+):(\d+)", kubeconfig).groups()
        self.api_way = Way((host, int(port)))
        token = self.kubectl("create", "token", "velokube", "-n", "velokube-system", "--duration", "1h").strip()
        kubeconfig = re.sub(r"(server: https://[\d.]+):\d+", rf"\1:{self.api_way.port}", kubeconfig)
        with open(f"{self.folder}/operator.kubeconfig", "w") as file:
            file.write(re.sub(r"token: .*", f"token: {token}", kubeconfig))

    def set_up_vco(self):
        self.start("vco", [".build/debug/velokube-sim", "vco", "--token", self.TOKEN])
        self.vco = self.first_line("vco").split()[-1]
        self.vco_way = Way(("127.0.0.1", int(self.vco.rsplit(":", 1)[1])))

    def set_up_velokube(self):
        self.pods = [Pod(self, name) for name in "ab"]
        becomes("one of two replicas leads", lambda: self.leader() is not None)
        becomes("both are ready", lambda: all(is_well(f"http://127.0.0.1:{pod.port}/readyz") for pod in self.pods))

    def leader(self):
        return next((pod for pod in self.pods if "\nvelokube_leader 1\n" in pod.metrics()), None)

    # Prometheus.

    def set_up_prometheus(self):
        def seconds(found):
            return found[1] + {"m": "s", "h": "m"}[found[2]]

        fast = re.sub(r"\b(\d+)([mh])\b", seconds, plain_rules()).replace(" * 60\n", " * 2\n")
        with open(f"{self.folder}/fast.yaml", "w") as file:
            file.write(fast)
        targets = "".join(
            f"\n      - {{targets: ['127.0.0.1:{pod.port}'], labels: {{namespace: velokube-system, pod: {pod.name}}}}}"
            for pod in self.pods)
        with open(f"{self.folder}/prometheus.yaml", "w") as file:
            file.write(
                "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [fast.yaml]\n"
                f"scrape_configs:\n  - job_name: velokube\n    static_configs:{targets}\n")
        port = free_port()
        self.prometheus = f"http://127.0.0.1:{port}"
        self.start("prometheus", [
            "prometheus", f"--config.file={self.folder}/prometheus.yaml", f"--storage.tsdb.path={self.folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{port}", "--query.lookback-delta=5s"])
        becomes("Prometheus scrapes both", lambda: self.query(
            "query", query="count(velokube_build_info) == 2")["result"] and not self.firing())
        self.began = time.time()

    def query(self, path, **parameters):
        reply = json.loads(fetch(f"{self.prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))
        return reply["data"]

    def firing(self):
        alerts = self.query("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def series(self, expression):
        """The whole run of a query, in steps of a second; only what is a number."""
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        found = self.query("query_range", query=expression, start=self.began, end=time.time(), step=1)["result"]
        numbers = [
            (one["metric"], [(at, float(value)) for at, value in one["values"] if math.isfinite(float(value))])
            for one in found]
        return [one for one in numbers if one[1]]

    # Resources.

    def make(self, name, port=443):
        self.api(f"{self.API}/velocloudbps", {
            "apiVersion": "vcn.cloud/v1", "kind": "VelocloudBP", "metadata": {"name": name},
            "spec": {"profile": "Quick Start Profile", "fqdn": f"{name}.shop.example", "dport": port}})

    def edit(self, name, change):
        self.api(f"{self.API}/velocloudbps/{name}", change, "PATCH")

    def ready(self, name):
        conditions = self.api(f"{self.API}/velocloudbps/{name}").get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == "Ready"), {"status": "", "reason": "", "message": ""})

    def is_ready(self, name):
        return self.ready(name)["status"] == "True"

    def change_in_portal(self, name):
        fetch(f"{self.vco}/sim/edit", {
            "edit": "set-member", "profile": 101, "rule": f"shop.{name}", "path": "match.dport_low", "value": 1})

    def touch(self):
        """Lets the watches hear something each second, as in a cluster that is used."""
        while not self.is_over.wait(1):
            for path in ("velocloudbps/app0", "velocloudlimits/shop"):
                with contextlib.suppress(OSError):
                    self.api(f"{self.API}/{path}", {"metadata": {"annotations": {"at": str(time.time())}}}, "PATCH")

    def log(self):
        """What velokube has logged since the last breakage."""
        texts = []
        for path in glob.glob(f"{self.folder}/velokube-*.log"):
            with open(path) as file:
                file.seek(self.marks.get(path, 0))
                texts.append(file.read())
        return "".join(texts)

    def mark(self):
        self.marks = {path: os.path.getsize(path) for path in glob.glob(f"{self.folder}/velokube-*.log")}

    # The story.

    def play_healthy(self):
        print("# all is well", flush=True)
        self.api(f"{self.API}/velocloudlimits", {
            "apiVersion": "vcn.cloud/v1", "kind": "VelocloudLimit", "metadata": {"name": "shop"},
            "spec": {"max-rules": 50}})
        for number in range(8):
            self.make(f"app{number}")
        becomes("eight resources are Ready", lambda: all(self.is_ready(f"app{number}") for number in range(8)))
        self.is_over = threading.Event()
        threading.Thread(target=self.touch, daemon=True).start()
        self.edit("app1", {"spec": {"priority": "high"}})
        self.change_in_portal("app2")
        becomes("a rule that was changed in the portal is put back",
                lambda: self.total("velokube_drift_corrected_total") > 0)
        fetch(f"{self.vco}/sim/faults", {"fault": "429"})
        becomes("a rate limit is paused for", lambda: self.total("velokube_vco_rate_limit_pauses_total") > 0)
        self.api(f"{self.API}/velocloudbps/app7", method="DELETE")
        self.make("app8")
        becomes("what was made during the pause is Ready", lambda: self.is_ready("app8"))
        time.sleep(15)  # An hour of alerts is a minute here, and most look back for a quarter of one.
        fired = self.series('ALERTS{alertstate="firing"}')
        so("no alert has fired while all was well", not fired, f"{fired}")
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=self.leader().metrics(), capture_output=True, text=True)
        so("promtool finds no fault with the metrics", checked.returncode == 0, checked.stdout + checked.stderr)

    def total(self, name):
        return sum(float(value) for pod in self.pods for value in re.findall(rf"^{name} (\S+)$", pod.metrics(), re.M))

    @contextlib.contextmanager
    def broken(self, what, resource, alerts, words, reason, message):
        """One thing is broken while the body runs; then each alert, the log and the resource must tell."""
        print(f"# {what}", flush=True)
        self.mark()
        began = time.time()
        with contextlib.ExitStack() as repairs:
            yield repairs
            if reason:
                self.make(resource)
                becomes(f"the resource says {reason}: {message}",
                        lambda: self.ready(resource)["reason"] == reason and message in self.ready(resource)["message"],
                        otherwise=lambda: f"{self.ready(resource)}")
            for alert in alerts:
                becomes(f"{alert} fires", lambda: alert in self.firing(), otherwise=lambda: f"{self.firing()}")
            for text in words:
                becomes(f"the log says: {text}", lambda: text in self.log(), otherwise=self.log)
        self.breakages.append((what, began, time.time()))
        if reason:
            self.edit(resource, {"metadata": {"annotations": {"vcn.cloud/reconcile-requested-at": str(time.time())}}})
            becomes("mended, it is Ready", lambda: self.is_ready(resource), otherwise=lambda: f"{self.ready(resource)}")
        becomes("the alerts end", lambda: not self.firing() & set(alerts), otherwise=lambda: f"{self.firing()}")

    def play_breakages(self):
        with self.broken(
                "the VCO is cut off", "vco", ["VelokubeOrchestratorUnreachable", "VelokubeFinalizerStuck"],
                ["VCO call failed"], "Unreachable", "127.0.0.1") as repairs:
            self.vco_way.close()
            repairs.callback(self.vco_way.open)
            self.api(f"{self.API}/velocloudbps/app6", method="DELETE")
        with self.broken(
                "the token is refused", "token", ["VelokubeCredentialRefused"], ["VCO call failed"], "AuthFailed",
                "token") as repairs:
            self.write_token("another")
            repairs.callback(self.write_token, self.TOKEN)
            becomes("the file is looked at", lambda: "does not accept the token" in self.log())
        role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/velokube"
        rules = self.api(role)["rules"]
        with self.broken(
                "a permission is taken away", "permission", ["VelokubeForbidden"], ["403 Forbidden"], "Pending",
                "cannot put its finalizer") as repairs:
            self.api(role, {"rules": [{**rules[0], "verbs": ["get", "list", "watch"]}, *rules[1:]]}, "PATCH")
            repairs.callback(self.api, role, {"rules": rules}, "PATCH")
        with self.broken(
                "the API server is cut off", None, ["VelokubeWatchStale", "VelokubeNoLeader"],
                ["Leadership is lost", "The API server cannot be reached"], None, None) as repairs:
            self.api_way.close()
            repairs.callback(self.api_way.open)
        becomes("a replica leads again", lambda: self.leader() is not None)
        with self.broken(
                "the ledger cannot be written", "ledger", ["VelokubeLedgerFailing"], ["The ledger cannot be written"],
                "Pending", "cannot write its ledger") as repairs:
            ledger = sqlite3.connect(self.leader().state, isolation_level=None, check_same_thread=False)
            ledger.execute("BEGIN IMMEDIATE")
            repairs.callback(ledger.close)

    def play_state_folder(self):
        leader = self.leader()
        folder = os.path.dirname(leader.state)
        with self.broken(
                "the state folder is taken away", None, ["VelokubeLedgerFailing"],
                ["The ledger is not where it was", f"the ledger {leader.state} was removed"], None, None) as repairs:
            os.rename(folder, folder + ".away")
            repairs.callback(os.rename, folder + ".away", folder)
        becomes("a replica leads again", lambda: self.leader() is not None)
        print("# the ledger is damaged", flush=True)
        self.mark()
        leader = self.leader()
        leader.process.kill()
        leader.process.wait()
        for path in glob.glob(f"{leader.state}-*"):
            os.remove(path)
        with open(leader.state, "w") as file:
            file.write("no ledger\n" * 1000)
        becomes("VelokubeLedgerRebuilt fires", lambda: "VelokubeLedgerRebuilt" in self.firing())
        becomes("the log says: The ledger was damaged", lambda: "The ledger was damaged and is set aside" in self.log())

    def play_drift(self):
        print("# rules are changed in the portal again and again", flush=True)
        self.mark()
        for number in range(4):
            seen = self.corrections()
            self.change_in_portal(f"app{number}")
            becomes("Prometheus sees a rule put back", lambda: self.corrections() > seen)
        becomes("VelokubeDriftRepeated fires", lambda: "VelokubeDriftRepeated" in self.firing())
        becomes("the log says: Drift corrected", lambda: "Drift corrected" in self.log())

    def corrections(self):
        """How many rules were put back, as Prometheus has it."""
        return float(self.query("query", query="sum(velokube_drift_corrected_total)")["result"][0]["value"][1])

    def check_dashboard(self):
        for panel in json.loads(content(DASHBOARD))["panels"]:
            for target in panel["targets"]:
                so(f"the dashboard shows: {panel['title']} ({target['legendFormat']})", self.series(target["expr"]),
                   target["expr"])

    def end(self):
        if hasattr(self, "is_over"):
            self.is_over.set()
        for pod in getattr(self, "pods", []):
            pod.stop()
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def play(folder):
    run = Run(folder)
    try:
        run.set_up_cluster()
        run.set_up_vco()
        run.set_up_velokube()
        run.set_up_prometheus()
        run.play_healthy()
        run.play_breakages()
        run.play_drift()
        run.play_state_folder()
        run.check_dashboard()
        if sys.argv[1:] == ["--picture"]:
            import dashboard_picture
            dashboard_picture.draw(json.loads(content(DASHBOARD)), run.series, run.began, run.breakages, PICTURE)
    except BaseException:
        for path in sorted(glob.glob(f"{folder}/*.log")):
            print(f"# the end of {os.path.basename(path)}\n{content(path)[-3000:]}", file=sys.stderr)
        raise
    finally:
        run.end()


with tempfile.TemporaryDirectory(prefix="velokube-monitoring.") as folder:
    check_static(folder)
    if sys.argv[1:] != ["--static"]:
        play(folder)
print(f"monitoring: {passed} passed")
