"""Canaries on the real cluster: to the end, back again, and after the process that walked them was killed.

Each test is the life of one service, told by its releases, because beginning anew costs more than the next release.
"""

import contextlib
import http.server
import json
import pathlib
import signal
import subprocess
import threading
import time

from harness import DEPLOYCTL, TINY_DOCKERFILE, Load, ProjectTest, kubectl, registry, run, run_side_by_side, wait_for_answer

SERVES = TINY_DOCKERFILE.replace("COPY index.html /www/index.html", "COPY index.html status.json /www/")
CRASHES = 'FROM busybox:1.36\nUSER 65532:65532\nCMD ["sh", "-c", "echo no database; exit 3"]\n'
HTTP_GATE = '{http: {path: /status.json, json: {/status: ok}, probes: 3}, interval: 1s}'
TO_THE_END = "[{weight: 25, pause: 1s}, {weight: 50, pause: 1s}]"
FOR_LONG = "[{weight: 25, pause: 10m}]"
UNTIL_PROMOTED = "[{weight: 25}, {pause: manual}]"


class Prometheus:
    """Answers every query with the next of `answers`, and then with the last two in turn."""

    GOOD = ["0.1"]

    def __init__(self):
        self.answers = [self.GOOD]
        self.asked = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = outer.answer()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def says(self, *answers):
        self.answers, self.asked = answers, 0

    def answer(self):
        at, last = self.asked, len(self.answers) - 1
        self.asked += 1
        values = self.answers[at if at <= last else max(0, last - (at - last) % 2)]
        if values == "500":
            return 500, b"out of order"
        time_of = time.time() - (600 if values == "stale" else 0)
        values = self.GOOD if values == "stale" else values
        result = [{"metric": {}, "value": [time_of, value]} for value in values]
        return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Canaries(ProjectTest):
    namespace_prefix = "canary-e2e"
    images = {}  # by name: made once for all tests
    making = threading.Lock()

    def setUp(self):
        super().setUp()
        self.versions = {}  # commit to version
        self.write("Dockerfile", SERVES)
        self.use(1)
        self.assert_exit(self.rollout(), 0)

    def image(self, name):
        with self.making:
            if name not in self.images:
                self.write("Dockerfile", CRASHES if name == "crashing" else SERVES)
                self.write("index.html", "hello\n")
                self.write("status.json", json.dumps({"status": "ok" if name == "good" else name}))
                self.assert_exit(self.deployctl("build", "web", "--push", "--tag", name), 0)
                self.images[name] = f"{registry()}/canary-e2e/web:{name}"
            return self.images[name]

    def use(self, version, steps=TO_THE_END, gates=HTTP_GATE, more=""):
        self.write("deployctl.yaml", f"""project: canary-e2e
registry: {registry()}/canary-e2e
services:
  web:
    stack: dockerfile
    port: 8080
    replicas: 2
    health: /index.html
    env: {{VERSION: "{version}"}}
    service: {{type: NodePort}}
    strategy:
      type: canary
      deadline: 180s
      steps: {steps}
      gates: [{gates}]
      {more}
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit(f"version {version}")
        self.versions[run(["git", "rev-parse", "HEAD"], cwd=self.folder).stdout.strip()] = version

    def rollout_command(self, image="good"):
        return ["rollout", "-e", "lab", "--yes", "--on-failure", "stop", "--image", f"web={self.image(image)}"]

    def rollout(self, image="good"):
        return self.deployctl(*self.rollout_command(image))

    def version(self):
        """Of the stable pods."""
        return self.versions[self.get("deployment", "web")["metadata"]["annotations"]["deployctl.dev/commit"]]

    def assert_no_canary(self):
        self.assertIsNone(self.get("deployment", "web-canary"))
        self.assertIsNone(self.get("service", "web-canary"))
        self.assertEqual(set(self.get("service", "web")["spec"]["selector"]),
                         {"app.kubernetes.io/name", "app.kubernetes.io/instance"})

    def history(self):
        done = self.deployctl("history", "-e", "lab")
        self.assert_exit(done, 0)
        return done.stdout

    @contextlib.contextmanager
    def walking(self, *arguments):
        """A rollout in the background whose canary has its share."""
        process = subprocess.Popen([DEPLOYCTL, *self.rollout_command(), *arguments], cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + 120
            while "deployctl.dev/service" not in self.get("service", "web")["spec"]["selector"]:
                self.assertLess(time.monotonic(), end, "the canary never got a share")
                self.assertIsNone(process.poll(), "the rollout has ended")
                time.sleep(0.2)
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def wait_for_no_share(self):
        """Then the canary is left some seconds for what it still answers."""
        end = time.monotonic() + 60
        while "deployctl.dev/service" in self.get("service", "web")["spec"]["selector"]:
            self.assertLess(time.monotonic(), end, "the canary kept its share")
            time.sleep(0.05)

    def kill_while_walking(self):
        with self.walking() as process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.assertIsNotNone(self.get("deployment", "web-canary"))

    def test_goes_to_the_end_or_back_without_losing_a_request(self):
        wait_for_answer(self.node_port(), "/index.html")
        with self.subTest("to the end"):
            self.use(2)
            with Load(self.node_port(), "/index.html") as load:
                done = self.rollout()
            self.assert_exit(done, 0)
            self.assertIn("1 of 3 pods (33 %)", done.stderr)
            self.assertIn("2 of 4 pods (50 %)", done.stderr)
            self.assertIn("3 of 3 probes passed", done.stderr)
            self.assertEqual(load.failures, [], f"of {load.total}")
            self.assert_no_canary()
            self.assertEqual(self.version(), 2)
            again = self.rollout()
            self.assert_exit(again, 0)
            self.assertIn("no canary: the pods stay as they are", again.stderr)

        before = self.get("deployment", "web")["metadata"]["generation"]
        with self.subTest("a gate that fails takes it back"):
            self.use(3)
            with Load(self.node_port(), "/index.html") as load:
                done = self.rollout("degraded")
            self.assert_exit(done, 5)
            self.assertIn("/status is 'degraded', not 'ok'", done.stderr)
            self.assertEqual(load.failures, [], f"of {load.total}")
            self.assert_no_canary()
            self.assertIn("failed", self.history())

        with self.subTest("pods that crash end it before any gate speaks"):
            self.use(4)
            done = self.rollout("crashing")
            self.assert_exit(done, 5)
            self.assertIn("no database", done.stderr)
            self.assert_no_canary()
        self.assertEqual(self.get("deployment", "web")["metadata"]["generation"], before, "no stable pod was touched")

    def test_a_killed_run_is_made_good_for(self):
        with self.subTest("aborted by another process"):
            self.use(2, FOR_LONG)
            self.kill_while_walking()
            self.assert_exit(self.deployctl("abort", "web", "-e", "lab"), 0)
            self.assert_no_canary()
            self.assertEqual(self.version(), 1)
            self.assertIn("aborted by", self.history())
            self.assertEqual(self.deployctl("abort", "web", "-e", "lab").code, 1)

        with self.subTest("taken back by Ctrl-C where that is meant"):
            self.use(3, FOR_LONG)
            with self.walking("--on-interrupt", "undo") as process:
                process.send_signal(signal.SIGINT)
                said = process.communicate(timeout=120)[0].decode()
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("taking back the canary of web", said)
            self.assert_no_canary()
            self.assertEqual(self.version(), 1)
            self.assertIn("rolled-back", self.history())

        with self.subTest("begun anew when the run was killed while it took it back"):
            self.use(4, "[{weight: 25, pause: 5s}]")
            with self.walking("--on-interrupt", "undo") as process:
                process.send_signal(signal.SIGINT)
                while b"taking back the canary of web" not in process.stdout.readline():
                    self.assertIsNone(process.poll())
                self.wait_for_no_share()
                process.send_signal(signal.SIGKILL)
                process.wait()
            self.assertIsNotNone(self.get("deployment", "web-canary"))
            done = self.rollout()
            self.assert_exit(done, 0)
            self.assertIn("the canary of web was being taken back: that comes to its end first", done.stderr)
            self.assert_no_canary()
            self.assertEqual(self.version(), 4)

        with self.subTest("taken up by the same release"):
            self.use(5, "[{weight: 25, pause: 5s}, {weight: 50}]")
            self.kill_while_walking()
            done = self.rollout()
            self.assert_exit(done, 0)
            self.assertIn("the canary of web goes on", done.stderr)
            self.assert_no_canary()
            self.assertEqual(self.version(), 5)

    def test_what_people_and_prometheus_say(self):
        prometheus = Prometheus()
        self.addCleanup(prometheus.close)
        gate = (f'{{prometheus: {{server: "{prometheus.url}", query: q, at_most: 1}}, initial_delay: 0s, interval: 1s, '
                'success_limit: 2}')
        with self.subTest("it waits, again and again"):
            self.use(2, UNTIL_PROMOTED)
            for _ in range(2):
                paused = self.rollout()
                self.assert_exit(paused, 0)
                self.assertIn("paused at 25 %", paused.stderr)
                self.assertIn("deployctl promote web", paused.stderr)
                self.assertIn("(because web is paused)", paused.stderr)
            self.assertIsNotNone(self.get("deployment", "web-canary"))

        with self.subTest("pods that somebody has deleted are made again before it waits on"):
            kubectl("delete", "deployment/web-canary", "-n", self.namespace)
            again = self.rollout()
            self.assert_exit(again, 0)
            self.assertIn("somebody has deleted the Deployment of the canary of web", again.stderr)
            self.assertIn("paused at 25 %", again.stderr)
            self.assertEqual(self.get("deployment", "web-canary")["status"].get("readyReplicas"), 1)

        with self.subTest("meanwhile others say what is open, and do not touch it"):
            status = self.deployctl("status", "-e", "lab")
            self.assertRegex(status.stdout, r"web: canary of \S+/web:good@sha256:\w+: paused at 25 %.*; 'deployctl promote web' goes on")
            diff = self.deployctl("diff", "-e", "lab")
            self.assertNotIn("web-canary", diff.stdout)
            self.assertNotIn("spec.selector", diff.stdout)
            self.assertIn("'deployctl promote' or 'deployctl abort' comes first", diff.stderr)
            self.assertNotIn("'deployctl rollout' makes", diff.stderr)
            restart = self.deployctl("restart", "-e", "lab", "--yes")
            self.assert_exit(restart, 7)
            self.assertIn("'deployctl promote web' goes on with it", restart.stderr)

        with self.subTest("what another environment has taken over meanwhile is not promoted"):
            def belongs_to(environment):
                labelled = kubectl("label", "--overwrite", "deployment/web", "-n", self.namespace, f"deployctl.dev/environment={environment}")
                self.assertEqual(labelled.code, 0, labelled)

            belongs_to("other")
            refused = self.deployctl("promote", "web", "-e", "lab", "--yes")
            self.assert_exit(refused, 7)
            self.assertIn("belongs to other of", refused.stderr)
            belongs_to("lab")
            self.assertEqual(self.version(), 1)

        with self.subTest("another release takes it back, and what Prometheus does not know is never good"):
            prometheus.says(["NaN"], [], ["0.1", "0.1"], "500", "stale", Prometheus.GOOD, ["NaN"], ["NaN"])
            self.use(3, "[{weight: 25, pause: 1s}]", gate, "max_wait: 8s")
            done = self.rollout()
            self.assert_exit(done, 5)
            self.assertIn("taking back the canary of web", done.stderr)
            for words in ("NaN, which is no number", "gave no value", "gave 2 values", "status 500", "600 s old"):
                self.assertIn(words, done.stderr)
            # A slow machine's last answer is the good one.
            self.assertRegex(done.stderr, r"inconclusive: gate 1 \(prometheus\): passed [01] times in a row, 2 are needed")
            self.assert_no_canary()
            self.assertEqual(self.version(), 1)

        with self.subTest("as it was planned and saved, and promoted"):
            prometheus.says(Prometheus.GOOD)
            self.use(4, UNTIL_PROMOTED, gate)
            plan = str(self.folder.with_suffix(".plan"))
            self.addCleanup(pathlib.Path(plan).unlink, missing_ok=True)
            self.assert_exit(self.deployctl("plan", "-e", "lab", "--out", plan, "--tag", "good"), 0)
            self.use(4, "[{weight: 50}]", gate)
            other = self.deployctl("rollout", "-e", "lab", "--yes", "--plan", plan)
            self.assert_exit(other, 7)
            self.assertIn("canary/web: spec.steps", other.stderr)
            self.use(4, UNTIL_PROMOTED, gate)
            planned = self.deployctl("rollout", "-e", "lab", "--yes", "--plan", plan)
            self.assert_exit(planned, 0)
            self.assertIn("paused at 25 %", planned.stderr)
            self.assert_exit(self.deployctl("promote", "web", "-e", "lab", "--yes"), 0)
            self.assert_no_canary()
            self.assertEqual(self.version(), 4)
            self.assertIn("deployed", self.history())

        with self.subTest("aborted from elsewhere while it is walked"):
            self.use(5, FOR_LONG)
            with self.walking() as process:
                abort = subprocess.Popen([DEPLOYCTL, "abort", "-e", "lab"], cwd=self.folder, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                while "deployctl.dev/service" in self.get("service", "web")["spec"]["selector"]:
                    self.assertIsNone(process.poll(), "the rollout has ended")
                    time.sleep(0.1)
                late = self.deployctl("promote", "-e", "lab", "--yes")
                self.assert_exit(late, 7)
                self.assertIn("the canary of web is aborting", late.stderr)
                self.assertEqual(abort.wait(timeout=120), 0)
                output, _ = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 5, output.decode())
                self.assertIn("aborted by", output.decode())
            self.assert_no_canary()
            self.assertEqual(self.version(), 4)


if __name__ == "__main__":
    run_side_by_side(Canaries, alone=["test_goes_to_the_end_or_back_without_losing_a_request"])
