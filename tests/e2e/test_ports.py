"""Requests find pods all the time, the old ones, the new ones, or both, also when a port gets another name or number."""

import concurrent.futures
import json
import subprocess
import time

from harness import ProjectTest, kubectl, run_side_by_side, wait_for_answer


def serving(text, port):
    page = json.dumps({"version": text})
    return ["sh", "-c", f"mkdir -p /tmp/www; echo '{page}' > /tmp/www/index.json; exec httpd -f -p {port} -h /tmp/www"]


class Followed:
    """How many pods the Service led to, one number for each change of its endpoints. Requests would also tell what
    kube-proxy makes of a node port whose name changes: it refuses some until its next turn (1.20)."""

    def __init__(self, namespace):
        self._command = ["kubectl", "get", "endpoints/web", "-n", namespace, "--watch", "--no-headers", "-o",
                         "custom-columns=:.subsets[*].addresses[*].ip"]
        self.counts = []

    def __enter__(self):
        self._kubectl = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self._add(self._kubectl.stdout.readline())  # as it is
        return self

    def __exit__(self, *_):
        time.sleep(1)
        self._kubectl.terminate()
        for line in self._kubectl.communicate()[0].splitlines():
            self._add(line)

    def _add(self, line):
        self.counts.append(0 if "none" in line else len(line.split(",")))


class Ports(ProjectTest):
    namespace_prefix = "e2e-ports"

    def use(self, text, ports, number=8080, command=None, strategy="{deadline: 60s}", extra=""):
        self.write("deployctl.yaml", f"""project: ports-e2e
services:
  web:
    image: busybox:1.36
    pin: tag
    command: {json.dumps(command or serving(text, number))}
    {ports}
    replicas: 2
    health: /index.json
    service: {{type: NodePort}}
    strategy: {strategy}
{extra}environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit(text)

    def rollout(self, code=0, on_failure="stop"):
        done = self.deployctl("rollout", "-e", "lab", "--yes", "--on-failure", on_failure)
        self.assert_exit(done, code)
        return done

    def way(self):
        port, = self.get("service", "web")["spec"]["ports"]
        return port["name"], port["port"], port["targetPort"]

    def pods(self):
        subsets = self.get("endpoints", "web").get("subsets", [])
        return sum(len(subset.get("addresses", [])) for subset in subsets)

    def followed(self):
        wait_for_answer(self.node_port(), "/index.json")
        return Followed(self.namespace)

    def assert_nothing_lost(self, followed):
        self.assertGreaterEqual(min(followed.counts), 2, followed.counts)

    def test_a_new_name_loses_no_request(self):
        self.use("1", "port: 8080", extra="    ingress: {host: ports.example.com}\n")
        self.rollout()
        with self.subTest("pods that never get ready leave the old ones their requests"), self.followed() as followed:
            self.use("2", "ports: {web: 8080}", command=["sleep", "600"], strategy="{deadline: 12s}",
                     extra="    ingress: {host: ports.example.com}\n")
            self.rollout(6)
        self.assert_nothing_lost(followed)
        self.assertEqual(self.way(), ("http", 8080, 8080))
        backend = self.get("ingress", "web")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        self.assertEqual(backend["port"], {"name": "http"})

        with self.subTest("good ones get them"), self.followed() as followed:
            self.use("3", "ports: {web: 8080}", extra="    ingress: {host: ports.example.com}\n")
            done = self.rollout()
        self.assertIn("service/web is changed once the new pods are ready", done.stderr)
        self.assert_nothing_lost(followed)
        self.assertEqual(self.way(), ("web", 8080, "web"))
        backend = self.get("ingress", "web")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        self.assertEqual(backend["port"], {"name": "web"})
        self.assertEqual(self.deployctl("diff", "-e", "lab").code, 0)

        with self.subTest("and so does the way back"), self.followed() as followed:
            self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes"), 0)
        self.assert_nothing_lost(followed)
        self.assertEqual(self.way(), ("http", 8080, "http"))

    def test_a_new_name_and_number_come_with_the_new_pods(self):
        self.use("1", "port: 8080")
        self.rollout()
        with self.subTest("not before they are ready"), self.followed() as followed:
            self.use("2", "ports: {web: 9090}", command=["sleep", "600"], strategy="{deadline: 12s}")
            done = self.rollout(6)
        self.assertIn("service/web cannot lead to old and new pods at the same time", done.stderr)
        self.assert_nothing_lost(followed)
        self.assertEqual(self.way(), ("http", 8080, "http"))
        self.use("3", "ports: {web: 9090}", number=9090)
        self.rollout()
        self.assertEqual(self.way(), ("web", 9090, "web"))
        wait_for_answer(self.node_port(), "/index.json")

    def test_a_service_that_goes_meanwhile_is_told(self):
        self.use("1", "port: 8080")
        self.rollout()
        self.use("2", "port: 8080")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            running = pool.submit(self.deployctl, "rollout", "-e", "lab", "--yes", "--on-failure", "stop")
            while self.get("deployment", "web")["metadata"]["generation"] < 2:
                time.sleep(0.1)
            kubectl("delete", "service/web", "-n", self.namespace)
            done = running.result()
        self.assert_exit(done, 5)
        self.assertIn("somebody has deleted service/web during the rollout", done.stderr)
        self.rollout()
        self.assertEqual(self.way(), ("http", 8080, "http"))

    def test_a_canary_gets_requests_by_number(self):
        steps = "{type: canary, deadline: 60s, steps: [{weight: 50, pause: 2s}]}"
        self.use("1", "port: 8080", strategy=steps)
        self.rollout()
        with self.followed() as followed:
            self.use("2", "ports: {web: 8080}", strategy=steps.replace("2s", "manual"))
            paused = self.rollout()
            self.assertIn("paused", paused.stderr)
            self.assertEqual(self.way(), ("http", 8080, 8080))
            self.assertEqual(self.pods(), 4)
            self.assert_exit(self.deployctl("promote", "web", "-e", "lab", "--yes"), 0)
        self.assert_nothing_lost(followed)
        self.assertEqual(self.way(), ("web", 8080, "web"))
        self.use("3", "ports: {http: 9090}", number=9090, strategy=steps)
        refused = self.rollout(7)
        self.assertIn("change their names and their numbers", refused.stderr)
        self.assertIsNone(self.get("deployment", "web-canary"))


if __name__ == "__main__":
    run_side_by_side(Ports)
