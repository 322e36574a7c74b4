"""kill -9 at every request boundary and at random moments: the next run makes good for it by itself.

A run talks to the API server through a proxy of the test that counts its requests and ends it before or after the n-th
of them; the others are ended at a random moment. Afterwards the same command must succeed, the objects must be those an
uninterrupted run leaves, and the lock must be free.

KILL_RUNS says how many (200 for all that the issue asks for); KILL_SEED makes the random ones repeatable.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import DEPLOYCTL, SOURCE, kubectl, run

sys.path.insert(0, str(SOURCE / "tests/support"))
from gated_api import Gate, HoldAtTheLock, PlainApi, Proxy  # noqa: E402

RUNS = int(os.environ.get("KILL_RUNS", "40"))
SEED = int(os.environ.get("KILL_SEED", "20261128"))
WORKERS = 20  # most of the time of a run is waiting for the lock to lapse

NO_PODS = "    image: busybox:1.36\n    pin: tag\n    replicas: 0\n"
STATES = {
    "one": {"web": NO_PODS + "    port: 8080\n    env: {STATE: one}\n    secrets: {TOKEN: 'env:TOKEN'}\n",
            "old": NO_PODS + "    port: 8081\n    env: {STATE: one}\n"},
    "two": {"web": NO_PODS + "    port: 8080\n    env: {STATE: two}\n    secrets: {TOKEN: 'env:TOKEN'}\n",
            "new": NO_PODS + "    port: 8082\n"},
}
KINDS = "configmaps,secrets,services,deployments,horizontalpodautoscalers,poddisruptionbudgets"


class Killing(Gate):
    """Counts the requests of one run and ends it before or after one of them."""

    def __init__(self, at=None, before=True):
        self.at, self.before, self.count = at, before, 0
        self.lock = threading.Lock()
        self.process = None
        self.started, self.killed = threading.Event(), threading.Event()

    def run(self, process):
        self.process = process
        self.started.set()
        return process

    def enter(self, command, path):
        with self.lock:
            self.count += 1
            return self.count

    def pass_by(self, number, before):
        if (number, before) == (self.at, self.before):
            self.started.wait(10)
            self.process.kill()
            self.killed.set()
        if self.killed.is_set():
            raise ConnectionAbortedError("the run is over")


class Project:
    """A project in a namespace of its own, whose runs go through a proxy of its own."""

    def __init__(self, name, upstream, is_new=True):
        self.name, self.proxy, self.others = name, Proxy(upstream, Killing()), []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-kill-"))
        (self.folder / "kubeconfig").write_text(self.proxy.kubeconfig())
        self.environment = {**os.environ, "KUBECONFIG": str(self.folder / "kubeconfig"), "TOKEN": "a-value",
                            "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / "config")}
        if is_new:
            kubectl("delete", "namespace", name, "--ignore-not-found")

    def beside(self):
        """The same project in another folder, by another way to the API server: somebody else's."""
        other = Project(self.name, self.proxy.upstream, is_new=False)
        self.others.append(other)
        return other

    def close(self):
        for other in self.others:
            other.close()
        self.proxy.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        kubectl("delete", "namespace", self.name, "--wait=false")

    def use(self, state):
        services = "".join(f"  {name}:\n{text}" for name, text in STATES[state].items())
        (self.folder / "deployctl.yaml").write_text(
            f"project: {self.name}\nservices:\n{services}environments:\n  lab: {{namespace: {self.name}}}\n")

    def start(self, output):
        return subprocess.Popen([DEPLOYCTL, "rollout", "-e", "lab"], cwd=self.folder, env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def roll_out(self):
        """A run that is left alone; what it printed."""
        self.proxy.gate = Killing()
        with tempfile.TemporaryFile() as output:
            process = self.start(output)
            try:
                code = process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                code = "no end"
            output.seek(0)
            return code, output.read().decode(errors="replace")

    def count_requests(self):
        gate = self.proxy.gate = Killing()
        with tempfile.TemporaryFile() as output:
            gate.run(self.start(output)).wait(120)
        return gate.count

    def kill_at_request(self, number, before):
        gate = self.proxy.gate = Killing(number, before)
        with tempfile.TemporaryFile() as output:
            gate.run(self.start(output)).wait(120)
        return gate.killed.is_set()

    def kill_after(self, seconds):
        self.proxy.gate = Killing()
        with tempfile.TemporaryFile() as output:
            process = self.start(output)
            try:
                process.wait(seconds)
                return False
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return True

    def live(self):
        """Every object of the project as text that is the same for the same state."""
        listed = json.loads(kubectl("get", KINDS, "-n", self.name, "-l", f"app.kubernetes.io/part-of={self.name}", "-o",
                                    "json").stdout)["items"]
        found = {}
        for each in listed:
            metadata = each["metadata"]
            for field in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"):
                metadata.pop(field, None)
            metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
            each.pop("status", None)
            each["spec"] = {key: value for key, value in each.get("spec", {}).items()
                            if key not in ("clusterIP", "clusterIPs")}
            text = json.dumps(each, sort_keys=True).replace(self.name, "PROJECT")
            text = re.sub(r"web-secrets-[0-9a-f]{8}", "web-secrets-HASH", text)  # salted with the namespace
            key = f"{each['kind']}/{metadata['name']}"
            found[re.sub(r"web-secrets-[0-9a-f]{8}", "web-secrets-HASH", key)] = text
        return found

    def lock_holder(self):
        lease = json.loads(kubectl("get", "lease", f"deployctl.{self.name}.lab", "-n", self.name, "-o", "json").stdout)
        return lease["spec"]["holderIdentity"]

    def newest_release(self):
        done = run([DEPLOYCTL, "--output", "json", "history", "-e", "lab"], cwd=self.folder, env=self.environment)
        return json.loads(done.stdout)["releases"][0]["state"]


class KillAtAnyMoment(unittest.TestCase):
    def setUp(self):
        self.api = PlainApi()
        self.addCleanup(self.api.close)

    def open_project(self, name):
        project = Project(name, self.api.port)
        self.addCleanup(project.close)
        return project

    def roll_out(self, project, state):
        project.use(state)
        code, output = project.roll_out()
        self.assertEqual(code, 0, output)
        return output

    def learn(self):
        """What an uninterrupted run leaves for each state, how many requests it takes and how long."""
        project = self.open_project("e2e-kill-reference")
        for state in ("one", "two", "one"):
            self.roll_out(project, state)
        project.use("two")
        requests = project.count_requests()
        expected = {"two": project.live()}
        self.roll_out(project, "one")
        expected["one"] = project.live()
        return expected, requests

    def moments(self, requests):
        """Before and after each request first, then at random."""
        boundaries = [("request", number, before) for number in range(1, requests + 1) for before in (True, False)]
        chance = random.Random(SEED)
        chance.shuffle(boundaries)
        while len(boundaries) < RUNS:
            boundaries.append(("time", chance.uniform(0.005, 0.6), None))
        return boundaries[:RUNS]

    def try_moments(self, name, moments, expected):
        """What was wrong, one line each, and how many runs were killed before their end."""
        project = self.open_project(name)
        self.roll_out(project, "one")
        self.roll_out(project, "two")
        wrong, killed, state = [], 0, "one"
        for kind, at, before in moments:
            project.use(state)
            killed += project.kill_at_request(at, before) if kind == "request" else project.kill_after(at)
            code, output = project.roll_out()
            place = f"{name}, {kind} {at} {'before' if before else 'after'}"
            if code != 0:
                wrong.append(f"{place}: exit {code}\n{output}")
            live = project.live()
            for key in sorted(set(live) | set(expected[state])):
                if live.get(key) != expected[state].get(key):
                    wrong.append(f"{place}: {key}\n  is        {live.get(key)}\n  should be {expected[state].get(key)}\n"
                                 f"{output}")
            if holder := project.lock_holder():
                wrong.append(f"{place}: the lock is held by {holder}")
            if (newest := project.newest_release()) != "deployed":
                wrong.append(f"{place}: the newest release is {newest}\n{output}")
            state = "two" if state == "one" else "one"
        return wrong, killed

    def test_a_run_that_is_overtaken_before_it_has_the_lock_sees_what_the_other_one_made(self):
        project = self.open_project("e2e-kill-overtaken")
        self.roll_out(project, "one")
        project.use("two")
        gate = project.proxy.gate = HoldAtTheLock()
        with tempfile.TemporaryFile() as output:
            overtaken = project.start(output)
            self.assertTrue(gate.reached.wait(60))
            other = project.beside()
            self.roll_out(other, "one")
            self.roll_out(other, "two")
            self.roll_out(other, "one")
            gate.let_go.set()
            code = overtaken.wait(120)
            output.seek(0)
            text = output.read().decode()
        self.assertEqual(code, 0, text)
        self.assertIn("release 4, after release 3", text)
        self.assertIn("Deployment/new", project.live())
        self.assertNotIn("Deployment/old", project.live())
        self.assertEqual(project.lock_holder(), "")

    def test_leaves_nothing_that_the_next_run_does_not_mend(self):
        expected, requests = self.learn()
        self.assertGreater(requests, 10)
        moments = self.moments(requests)
        shares = [moments[at::WORKERS] for at in range(WORKERS)]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            results = list(pool.map(lambda at: self.try_moments(f"e2e-kill-{at}", shares[at], expected),
                                    [at for at in range(WORKERS) if shares[at]]))
        wrong = [line for lines, _ in results for line in lines]
        killed = sum(count for _, count in results)
        print(f"{len(moments)} runs, {killed} killed before their end, {requests} requests each, seed {SEED}, "
              f"{len(wrong)} wrong")
        self.assertEqual(wrong, [])
        self.assertGreater(killed, len(moments) // 2)


if __name__ == "__main__":
    unittest.main()
