"""Two runs in each other's way, at the moment that matters: what was decided before the lock was had is right no longer,
or somebody has taken away what a run was about to use.

One of them goes through a gate of the test (tests/support/gated_api.py), which holds or ends it at a request; what comes
between is done meanwhile.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

from harness import DEPLOYCTL, SOURCE, ProjectTest, kubectl, run_side_by_side

sys.path.insert(0, str(SOURCE / "tests/support"))
from gated_api import Gate, Hold, HoldAtTheLock, Kill, PlainApi, Proxy  # noqa: E402

BEFORE, AFTER = True, False
PROJECT = "e2e-interleaved"
NO_PODS = "image: 'busybox:1.36', pin: tag, port: 8080, replicas: 0, "
SERVING = ("image: 'busybox:1.36', pin: tag, port: 8080, health: /hosts, "
           "command: [sh, -c, 'trap exit TERM; httpd -f -p 8080 -h /etc & wait'], ")
NGINX = "router: nginx, "
INGRESS = ", ingress: {host: n.example.com, class: nginx}"


def version(number, more="", pods=NO_PODS):
    """A service of that version."""
    return f"{{{pods}env: {{VERSION: '{number}'}}{more}}}"


def canary(number, router="", more="", steps="[{weight: 50, pause: manual}]"):
    return version(number, f", strategy: {{type: canary, {router}deadline: 60s, steps: {steps}}}{more}", SERVING)


class Held:
    """A run that goes through a gate."""

    def __init__(self, process, output):
        self.process, self._output = process, output
        self.code, self.output = None, ""

    def end(self):
        self.code = self.process.wait(120)
        self.output = self.said()

    def said(self):
        return os.pread(self._output.fileno(), 1 << 20, 0).decode()

    def __str__(self):
        return f"exit {self.code}\n{self.output}"


class Interleaved(ProjectTest):
    namespace_prefix = PROJECT

    def setUp(self):
        super().setUp()
        self.api = PlainApi()
        self.addCleanup(self.api.close)

    def use(self, **services):
        self.write("deployctl.yaml", f"project: {PROJECT}\nservices:\n" +
                   "".join(f"  {name}: {text}\n" for name, text in services.items()) +
                   f"environments:\n  lab: {{namespace: {self.namespace}}}\n")

    def do(self, *command, code=0):
        done = self.deployctl(*command, "-e", "lab")
        self.assert_exit(done, code)
        return done

    def rollout(self, **services):
        self.use(**services)
        return self.do("rollout", "--yes", "--on-failure", "stop")

    @contextlib.contextmanager
    def through(self, gate, *command):
        proxy = Proxy(self.api.port, gate)
        self.addCleanup(proxy.close)
        kubeconfig = self.folder.with_suffix(f".{proxy.server_address[1]}")
        self.addCleanup(kubeconfig.unlink)
        kubeconfig.write_text(proxy.kubeconfig(), encoding="utf-8")
        with tempfile.TemporaryFile() as output, subprocess.Popen(
                [DEPLOYCTL, *command, "-e", "lab"], cwd=self.folder, env={**os.environ, "KUBECONFIG": str(kubeconfig)},
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT) as process:
            try:
                yield Held(process, output)
            finally:
                process.kill()

    @contextlib.contextmanager
    def held(self, gate, *command):
        """A run that waits at its gate for as long as the body takes, and has ended behind it."""
        with self.through(gate, *command) as run:
            try:
                while not gate.reached.wait(0.1):
                    if run.process.poll() is not None:
                        run.end()
                        self.fail(f"it has ended before it came to its gate: {run}")
                yield run
            finally:
                gate.let_go.set()
            run.end()

    @contextlib.contextmanager
    def waiting(self, *command):
        """A run that waits for one that is at work until the body is done, and has ended behind that."""
        with self.through(Gate(), *command) as run:
            end = time.monotonic() + 60
            while "waiting for the lock" not in run.said():
                self.assertLess(time.monotonic(), end, run.said())
                self.assertIsNone(run.process.poll(), run.said())
                time.sleep(0.05)
            yield run
            run.end()

    def kill(self, what, before, *command):
        """Ends a run at a request, and its lock as if that had lapsed."""
        gate = Kill(what, before)
        with self.through(gate, *command) as run:
            gate.run(run.process)
            run.end()
        self.assertTrue(gate.killed.is_set(), run)
        done = kubectl("patch", "lease", f"deployctl.{PROJECT}.lab", "-n", self.namespace, "--type=merge", "-p",
                       '{"spec": {"holderIdentity": ""}}')
        self.assertEqual(done.code, 0, done)

    def assert_refused(self, run, words):
        self.assertEqual(run.code, 7, run)
        self.assertIn(words, run.output)

    def states(self):
        listed = json.loads(self.do("history", "--output", "json").stdout)["releases"]
        return [(each["number"], each["state"]) for each in listed]

    def versions(self):
        """What the pods of each Deployment read, by its name."""
        configurations = {each["metadata"]["name"]: each["data"] for each in self.items("configmap") if "data" in each}
        found = {}
        for deployment in self.items("deployment"):
            container, = deployment["spec"]["template"]["spec"]["containers"]
            names = [each["configMapRef"]["name"] for each in container["envFrom"] if "configMapRef" in each]
            found[deployment["metadata"]["name"]] = configurations[names[0]]["VERSION"]
        return found

    def items(self, kind):
        return json.loads(kubectl("get", kind, "-n", self.namespace, "-o", "json").stdout)["items"]

    def test_a_saved_plan_is_not_carried_out_behind_a_run_that_it_does_not_know(self):
        self.rollout(api=version(1), db=version(1))
        self.use(api=version(2), db=version(2))
        self.do("plan", "--out", "plan.json")
        with self.held(HoldAtTheLock(), "rollout", "--plan", "plan.json", "--yes") as planned:
            self.rollout(api=version(9), db=version(9), new=version(9))
        self.assert_refused(planned, "another run was at work since the plan was compared with the cluster")
        self.assertEqual(self.versions(), {"api": "9", "db": "9", "new": "9"})
        self.assertEqual(self.states(), [(2, "deployed"), (1, "superseded")], "what is refused writes nothing")

    def test_undo_does_not_go_back_behind_a_task_that_began_while_it_waited(self):
        contract = ", tasks: {drop: {command: [echo, dropped], compatible: contract}}"
        self.rollout(api=version(1))
        self.rollout(api=version(2))
        with self.held(HoldAtTheLock(), "undo", "--to", "1", "--yes") as undo:
            self.rollout(api=version(3, contract))
        self.assert_refused(undo, "release 3 has begun api/drop, and release 1 does not work with what that leaves")
        self.assertEqual(self.versions(), {"api": "3"})
        self.assertEqual(self.states()[0], (3, "deployed"))

    def test_undo_goes_to_no_release_that_is_not_the_one_before_any_more(self):
        self.rollout(api=version(1))
        self.rollout(api=version(2))
        with self.held(HoldAtTheLock(), "undo", "--yes") as undo:
            self.rollout(api=version(3))
        self.assert_refused(undo, "going back means release 2 now, and not 1")
        self.assertEqual(self.versions(), {"api": "3"})
        self.assertEqual(self.states()[0], (3, "deployed"))
        with self.subTest("one that is named is meant whatever came before it"):
            with self.held(HoldAtTheLock(), "undo", "--to", "1", "--yes") as undo:
                self.rollout(api=version(4))
            self.assertEqual(undo.code, 0, undo)
            self.assertEqual(self.versions(), {"api": "1"})

    def test_runs_that_have_waited_for_another_one_decide_anew(self):
        self.rollout(api=version(1))
        self.use(api=version(2))
        self.do("plan", "--out", "plan.json")
        with contextlib.ExitStack() as others:
            self.use(api=version(3, ", tasks: {drop: {command: [echo, dropped], compatible: contract}}"))
            with self.held(Hold(r"POST .*/secrets\b"), "rollout", "--yes") as first:
                self.use(api=version(2))
                undo, planned = (others.enter_context(self.waiting(*command)) for command in (
                    ("undo", "--to", "1", "--yes"), ("rollout", "--plan", "plan.json", "--yes")))
            self.assertEqual(first.code, 0, first)
        self.assert_refused(undo, "release 2 has begun api/drop, and release 1 does not work with what that leaves")
        self.assert_refused(planned, "another run was at work since the plan was compared with the cluster")
        self.assertEqual(self.states(), [(2, "deployed"), (1, "superseded")])

    def test_promotion_takes_the_share_of_a_canary_whose_pods_somebody_deletes_meanwhile(self):
        self.rollout(api=canary(1, NGINX, INGRESS))
        self.rollout(api=canary(2, NGINX, INGRESS))
        with self.held(Hold(r"PATCH .*/deployments/api\b(?!-)"), "promote", "--yes") as promotion:
            self.assertIsNotNone(self.get("ingress", "api-canary"))
            kubectl("delete", "deployment", "api-canary", "-n", self.namespace, "--wait=false")
        self.assertEqual(promotion.code, 0, promotion)
        self.assertIsNone(self.get("ingress", "api-canary"), "it would lead requests to no pods")
        self.assertIsNone(self.get("service", "api-canary"))
        self.assertEqual(self.versions(), {"api": "2"})

    def test_a_canary_that_was_half_removed_by_a_killed_promotion_is_removed(self):
        self.rollout(api=canary(1))
        self.rollout(api=canary(2))
        self.kill(r"DELETE .*/services/api-canary\b", BEFORE, "promote", "--yes")
        self.assertIsNone(self.get("deployment", "api-canary"))
        self.assertIsNotNone(self.get("service", "api-canary"), "else the run was killed too late")
        self.rollout(api=canary(2))
        self.assertIsNone(self.get("service", "api-canary"))
        self.assertEqual(self.states()[0][1], "deployed")
        self.do("diff")

    def test_abort_takes_nothing_back_whose_promotion_began_meanwhile(self):
        self.rollout(api=canary(1))
        self.rollout(api=canary(2))
        with self.held(Hold(r"PATCH .*/deployments/api-canary\b"), "abort") as abort:
            self.kill(r"PATCH .*/deployments/api\b(?!-)", AFTER, "promote", "--yes")
        self.assert_refused(abort, "'deployctl undo' goes back to the release before")
        self.assertIsNotNone(self.get("deployment", "api-canary"))
        self.assertNotIn("aborted", self.do("history").stdout)
        self.do("undo", "--to", "1", "--yes")
        self.assertEqual(self.versions(), {"api": "1"})

    def test_no_run_leads_requests_to_a_side_that_is_live_no_longer(self):
        green = version(3, ", strategy: {type: blue-green, keep: 10m, deadline: 60s}", SERVING)
        rolling = version(4, pods=SERVING)
        self.rollout(api=version(1, pods=SERVING))
        with contextlib.ExitStack() as others:
            self.use(api=rolling)
            undo, overtaken = (others.enter_context(self.held(HoldAtTheLock(), *command)) for command in (
                ("undo", "--to", "1", "--yes"), ("rollout", "--yes")))
            self.use(api=green)
            with self.held(Hold(r"POST .*/secrets\b"), "rollout", "--yes") as first:
                self.use(api=rolling)
                waiting = others.enter_context(self.waiting("rollout", "--yes"))
            self.assertEqual(first.code, 0, first)
        self.assert_refused(undo, "service/api leads to other pods than when this run began")
        for run in (overtaken, waiting):
            self.assert_refused(run, "service/api leads to other pods than when this run began")
        self.assertEqual(self.get("service", "api")["spec"]["selector"]["app.kubernetes.io/instance"], PROJECT + "-green")
        self.assertEqual(self.states(), [(2, "deployed"), (1, "superseded")])


if __name__ == "__main__":
    run_side_by_side(Interleaved)
