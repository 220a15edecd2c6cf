"""Executes one page of the documentation as its reader would, and compares what is printed with what is shown. With
--links it looks instead whether the links of the pages lead somewhere.

  ```console     Executed, all blocks of the page in order by one bash, in a copy of the tree. A line that begins with
                 "$ " is a command, continued after a trailing "\\"; the lines after it are all that it prints. A line
                 "..." stands for any lines. Ages, times, ports and generated ids may differ.
  <!-- runs      Executed, and not shown: up to "-->". What the page takes for granted, such as a running operator.
  <!-- exits N   The next command ends with N instead of 0.
  ```sh          Not executed, and the line before says why: <!-- not run: WHY -->.

There: HOME, a folder of its own; kubectl for a fresh API server, helm, velokube, velokube-sim and promtool on the PATH;
and $VCO, the URL of a simulated VCO with the profile "Quick Start Profile".
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SECONDS_MAX = 120
SAME = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UID"),
    (re.compile(r"\b[0-9a-f]{32}_[0-9a-f]{16}\b"), "HOLDER"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+"), "PORT"),
    (re.compile(r"(?<!\S)(\d+[smhd]){1,2}(?!\S)"), "AGE"),
    (re.compile(r"\s+"), " "),
]


def same(line):
    for pattern, word in SAME:
        line = pattern.sub(word, line)
    return line.strip()


def matches(shown, printed):
    """Whether the printed lines are the shown ones, where "..." stands for any."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(matches(shown[1:], printed[skipped:]) for skipped in range(len(printed) + 1))
    return bool(printed) and same(shown[0]) == same(printed[0]) and matches(shown[1:], printed[1:])


class Step:
    def __init__(self, line, command, code=0, shown=None):
        self.line, self.command, self.code, self.shown = line, command, code, shown


def steps(page, text):
    """The commands of a page in order; ends the program where the page is not written as it should be."""
    found, code, lines = [], 0, text.split("\n")
    kind, previous = None, ""
    for number, line in enumerate(lines, 1):
        fence = re.match(r"\s*```(.*)$", line)
        if kind == "runs":
            if line.strip() == "-->":
                kind = None
            else:
                found[-1].command += line + "\n"
        elif kind is None and line.startswith("<!-- runs"):
            kind = "runs"
            found.append(Step(number, ""))
        elif kind is None and (match := re.match(r"<!-- exits (\d+) -->", line)):
            code = int(match[1])
        elif fence and kind is None:
            kind = fence[1].strip() or "text"
            if kind == "sh" and not previous.startswith("<!-- not run: "):
                sys.exit(f"{page}:{number}: a block that is not executed says why in the line before it")
        elif fence:
            kind = None
        elif kind == "console":
            indent = len(lines[number - 1]) - len(lines[number - 1].lstrip())
            continues = found and found[-1].command.endswith("\\\n") and found[-1].shown == []
            if continues:
                found[-1].command += line + "\n"
            elif line.strip().startswith("$ "):
                found.append(Step(number, line.strip()[2:] + "\n", code, []))
                code = 0
            elif found and found[-1].shown is not None:
                found[-1].shown.append(line)
            else:
                sys.exit(f"{page}:{number}: output without a command ({indent} spaces before it)")
        if line.strip():
            previous = line.strip()
    return found


class Shell:
    """One bash, to which commands are given one after the other."""

    MARK = "@@@ ended with"

    def __init__(self, folder, environment):
        self.script = os.path.join(environment["HOME"], ".command")
        self.process = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def run(self, command):
        """What the command printed, by lines, and its exit code; nothing for the latter when it took too long."""
        with open(self.script, "w") as script:
            script.write(command)
        signal.alarm(SECONDS_MAX)
        self.process.stdin.write(f"source {self.script} </dev/null; printf '\\n{self.MARK} %d\\n' $?\n")
        self.process.stdin.flush()
        lines = []
        try:
            for line in self.process.stdout:
                if line.startswith(self.MARK):
                    # The mark begins a line of its own.
                    while lines and not lines[-1]:
                        lines.pop()
                    return lines, int(line.split()[-1])
                lines.append(line.rstrip("\n"))
        except TimeoutError:
            pass
        finally:
            signal.alarm(0)
        return lines, None

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def copy_of_the_tree(folder):
    tree = os.path.join(folder, "velokube")
    for name in subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], text=True).splitlines():
        if os.path.exists(name):
            os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
            shutil.copy2(name, os.path.join(tree, name))
    os.symlink(os.path.abspath(".build"), os.path.join(tree, ".build"))
    return tree


def surroundings(folder):
    """The environment of a reader who has done what the page begins with."""
    home, programs = os.path.join(folder, "home"), os.path.join(folder, "bin")
    os.makedirs(os.path.join(home, ".kube"))
    os.makedirs(programs)
    shutil.copy(os.environ["VELOKUBE_TEST_KUBECONFIG"], os.path.join(home, ".kube", "config"))
    os.symlink(os.environ["KUBECTL"], os.path.join(programs, "kubectl"))
    for name in ["velokube", "velokube-sim"]:
        os.symlink(os.path.abspath(f".build/debug/{name}"), os.path.join(programs, name))
    helm = subprocess.check_output(["scripts/helm"], text=True).strip()
    os.symlink(helm, os.path.join(programs, "helm"))
    prometheus = subprocess.check_output(["scripts/prometheus"], text=True).strip()
    os.symlink(os.path.join(prometheus, "promtool"), os.path.join(programs, "promtool"))
    return {"HOME": home, "PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8", "COLUMNS": "200"}


def anchors(path):
    """The anchors of a page's headings, as GitHub makes them."""
    with open(path) as file:
        headings = re.findall(r"^#+ (.*)$", file.read(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(pages):
    broken = []
    for page in pages:
        with open(page) as file:
            links = re.findall(r"\]\(([^)\s]+)\)", file.read())
        for link in links:
            if "://" in link:
                continue
            name, _, anchor = link.partition("#")
            path = os.path.normpath(os.path.join(os.path.dirname(page), name)) if name else page
            if not os.path.exists(path) or anchor and anchor not in anchors(path):
                broken.append(f"{page}: {link} leads nowhere")
    if broken:
        sys.exit("\n".join(broken))


def main(page):
    def late(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    with open(page) as file:
        plan = steps(page, file.read())
    with tempfile.TemporaryDirectory(prefix="velokube-docs.") as folder:
        tree, environment = copy_of_the_tree(folder), surroundings(folder)
        vco = subprocess.Popen(
            [os.path.abspath(".build/debug/velokube-sim"), "vco"], stdout=subprocess.PIPE, text=True)
        environment["VCO"] = vco.stdout.readline().split()[-1]
        shell, failures = Shell(tree, environment), 0
        try:
            for step in plan:
                printed, code = shell.run(step.command)
                if code == step.code and (step.shown is None or matches(
                        [line for line in step.shown if line.strip()], [line for line in printed if line.strip()])):
                    continue
                failures += 1
                ended = "did not end" if code is None else f"ended with {code}"
                print(f"{page}:{step.line}: {step.command.strip()}\n  {ended}, and printed:")
                print("".join(f"    {line}\n" for line in printed), end="")
                if step.shown is None or code is None:
                    break
        finally:
            shell.end()
            vco.kill()
            vco.wait()
    count = sum(step.shown is not None for step in plan)
    print(f"{page}: {count} commands executed, {failures} not as shown")
    sys.exit(1 if failures else 0)


if sys.argv[1] == "--links":
    check_links(sys.argv[2:])
else:
    main(sys.argv[1])
