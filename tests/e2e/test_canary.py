"""Canaries on the real cluster: to the end, back again, and after the process that walked them was killed."""

import contextlib
import http.server
import json
import signal
import subprocess
import threading
import time
import unittest

from harness import DEPLOYCTL, TINY_DOCKERFILE, Load, ProjectTest, kubectl, registry

PORT = 30961
DOCKERFILE = TINY_DOCKERFILE.replace("COPY index.html /www/index.html", "COPY index.html status.json /www/")
HTTP_GATE = '{http: {path: /status.json, json: {/status: ok}, probes: 3}, interval: 1s}'


class Prometheus:
    """Answers every query the way `mode` says."""

    def __init__(self):
        self.mode = "good"
        self.asked = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
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

    def answer(self):
        values = {"good": ["0.1"], "bad": ["9"], "nan": ["NaN"], "empty": [], "two": ["0.1", "0.1"],
                  "flapping": ["0.1" if self.asked % 2 else "NaN"], "stale": ["0.1"]}
        if self.mode == "500":
            return 500, b"out of order"
        at = time.time() - (600 if self.mode == "stale" else 0)
        result = [{"metric": {}, "value": [at, value]} for value in values[self.mode]]
        return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Canaries(ProjectTest):
    namespace = "canary-e2e"

    def setUp(self):
        super().setUp()
        self.write("Dockerfile", DOCKERFILE)
        self.write("index.html", "hello\n")
        self.write("status.json", '{"status": "ok"}\n')
        self.use(1)
        done = self.deployctl("release", "-e", "lab", "--yes")
        self.assert_exit(done, 0)
        self.image = done.stdout.strip()

    def use(self, version, steps="[{weight: 25, pause: 2s}, {weight: 50, pause: 2s}]", gates=HTTP_GATE, more=""):
        self.write("deployctl.yaml", f"""project: canary-e2e
registry: {registry()}/canary-e2e
services:
  web:
    stack: dockerfile
    port: 8080
    replicas: 3
    health: /index.html
    env: {{VERSION: "{version}"}}
    service: {{type: NodePort, node_port: {PORT}}}
    strategy:
      type: canary
      deadline: 60s
      steps: {steps}
      gates: [{gates}]
      {more}
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit(f"version {version}")

    def rollout(self, image=None):
        return self.deployctl("rollout", "-e", "lab", "--yes", "--on-failure", "stop", "--image",
                              f"web={image or self.image}")

    def get(self, *what):
        done = kubectl("get", *what, "-n", self.namespace, "-o", "json")
        return json.loads(done.stdout) if done.code == 0 else None

    def template(self, deployment="web"):
        return self.get("deployment", deployment)["spec"]["template"]

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
    def walking(self, weight_label="deployctl.dev/service"):
        """A rollout in the background whose canary has its share."""
        process = subprocess.Popen([DEPLOYCTL, "rollout", "-e", "lab", "--yes", "--image", f"web={self.image}"],
                                   cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + 60
            while weight_label not in self.get("service", "web")["spec"]["selector"]:
                self.assertLess(time.monotonic(), end, "the canary never got a share")
                self.assertIsNone(process.poll(), "the rollout has ended")
                time.sleep(0.2)
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def test_goes_to_the_end_without_losing_a_request(self):
        self.use(2)
        with Load(PORT, "/index.html") as load:
            done = self.rollout()
        self.assert_exit(done, 0)
        self.assertIn("1 of 4 pods (25 %)", done.stderr)
        self.assertIn("3 of 6 pods (50 %)", done.stderr)
        self.assertIn("3 of 3 probes passed", done.stderr)
        self.assertEqual(load.failures, [], f"of {load.total}")
        self.assert_no_canary()
        again = self.rollout()
        self.assert_exit(again, 0)
        self.assertIn("no canary: the pods stay as they are", again.stderr)

    def test_a_gate_that_fails_takes_it_back_and_leaves_the_stable_pods_alone(self):
        before = self.get("deployment", "web")["metadata"]["generation"]
        self.write("status.json", '{"status": "degraded"}\n')
        self.use(2)
        with Load(PORT, "/index.html") as load:
            done = self.deployctl("release", "-e", "lab", "--yes", "--on-failure", "stop")
        self.assert_exit(done, 5)
        self.assertIn("/status is 'degraded', not 'ok'", done.stderr)
        self.assertEqual(load.failures, [], f"of {load.total}")
        self.assertEqual(self.get("deployment", "web")["metadata"]["generation"], before)
        self.assert_no_canary()
        self.assertIn("failed", self.history())

    def test_pods_that_crash_end_it_before_any_gate_speaks(self):
        self.write("Dockerfile", 'FROM busybox:1.36\nUSER 65532:65532\nCMD ["sh", "-c", "echo no database; exit 3"]\n')
        self.use(2)
        done = self.deployctl("release", "-e", "lab", "--yes", "--on-failure", "stop")
        self.assert_exit(done, 5)
        self.assertIn("no database", done.stderr)
        self.assert_no_canary()

    def test_a_killed_run_is_aborted_by_another_process(self):
        before = self.template()
        self.use(2, steps="[{weight: 25, pause: 10m}]")
        with self.walking() as process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.assertIsNotNone(self.get("deployment", "web-canary"))
        done = self.deployctl("abort", "web", "-e", "lab")
        self.assert_exit(done, 0)
        self.assert_no_canary()
        self.assertEqual(self.template(), before)
        self.assertIn("aborted by", self.history())
        self.assertEqual(self.deployctl("abort", "web", "-e", "lab").code, 1)

    def test_a_killed_run_is_taken_up_by_the_same_release(self):
        self.use(2, steps="[{weight: 25, pause: 8s}, {weight: 50, pause: 2s}]")
        with self.walking() as process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        done = self.rollout()
        self.assert_exit(done, 0)
        self.assertIn("the canary of web goes on", done.stderr)
        self.assert_no_canary()
        self.assertIn("deployctl", json.dumps(self.template()))

    def test_another_release_takes_a_killed_canary_back_first(self):
        self.use(2, steps="[{weight: 25, pause: 10m}]")
        with self.walking() as process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.use(3)
        done = self.rollout()
        self.assert_exit(done, 0)
        self.assertIn("taking back the canary of web", done.stderr)
        self.assert_no_canary()

    def test_a_running_one_is_aborted_from_elsewhere(self):
        self.use(2, steps="[{weight: 25, pause: 10m}]")
        with self.walking() as process:
            done = self.deployctl("abort", "-e", "lab")
            self.assert_exit(done, 0)
            output, _ = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 5, output.decode())
            self.assertIn("aborted by", output.decode())
        self.assert_no_canary()

    def test_waits_for_promote(self):
        self.use(2, steps="[{weight: 25}, {pause: manual}]")
        paused = self.rollout()
        self.assert_exit(paused, 0)
        self.assertIn("paused at 25 %", paused.stderr)
        self.assertIn("deployctl promote web", paused.stderr)
        again = self.rollout()
        self.assert_exit(again, 0)
        self.assertIn("paused at 25 %", again.stderr)
        self.assertIsNotNone(self.get("deployment", "web-canary"))
        done = self.deployctl("promote", "web", "-e", "lab", "--yes")
        self.assert_exit(done, 0)
        self.assert_no_canary()
        self.assertIn("deployed", self.history())

    def test_what_prometheus_does_not_know_is_never_good(self):
        prometheus = Prometheus()
        self.addCleanup(prometheus.close)
        gate = f"{{prometheus: {{server: \"{prometheus.url}\", query: q, at_most: 1}}, initial_delay: 0s, interval: 1s, success_limit: 2}}"
        for version, (mode, words) in enumerate({
                "nan": "NaN, which is no number", "empty": "gave no value", "two": "gave 2 values",
                "500": "status 500", "stale": "600 s old", "flapping": "times in a row"}.items(), start=2):
            with self.subTest(mode):
                prometheus.mode = mode
                self.use(version, steps="[{weight: 25, pause: 1s}]", gates=gate, more="max_wait: 4s")
                done = self.rollout()
                self.assert_exit(done, 5)
                self.assertIn("inconclusive", done.stderr)
                self.assertIn(words, done.stderr)
                self.assert_no_canary()
        prometheus.mode = "good"
        self.use(99, steps="[{weight: 25, pause: 1s}]", gates=gate, more="max_wait: 4s")
        self.assert_exit(self.rollout(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
