"""Recreate and blue-green on a real cluster: what runs when, and what requests see of it."""

import json
import time
import unittest

from harness import TINY_DOCKERFILE, Load, ProjectTest, get_json, kubectl, registry

PORT = 30415
DRAINED = TINY_DOCKERFILE.replace("USER", 'COPY index.html /www/index.json\nUSER')


class Strategies(ProjectTest):
    namespace = "e2e-strategies"

    def use(self, text, strategy, command=None):
        dockerfile = DRAINED if command is None else DRAINED.replace('CMD ["httpd"', command)
        self.write("Dockerfile", dockerfile)
        self.write("index.html", json.dumps({"text": text}))
        self.write("deployctl.yaml", f"""project: e2e-strategies
registry: {registry()}/e2e-strategies
services:
  web:
    stack: dockerfile
    port: 8080
    replicas: 2
    health: /index.json
    service: {{type: NodePort, node_port: {PORT}}}
    strategy: {strategy}
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit(text)

    def release(self, code=0):
        done = self.deployctl("release", "-e", "lab", "--yes")
        self.assert_exit(done, code)
        return done

    def assert_answer(self, text):
        """The service comes to answer so: nodes follow the endpoints a moment later."""
        end = time.monotonic() + 20
        while (answer := get_json(PORT, "/index.json")["text"]) != text:
            self.assertLess(time.monotonic(), end, answer)
            time.sleep(0.2)

    def live(self, kind, name="web"):
        return json.loads(kubectl("get", kind, name, "-n", self.namespace, "-o", "json").stdout or "{}")

    def side(self):
        return self.live("service")["spec"]["selector"]["app.kubernetes.io/instance"]

    def test_recreate_lets_the_old_pods_go_first(self):
        self.use("first", "{type: recreate, deadline: 90s}")
        self.release()
        self.use("second", "{type: recreate, deadline: 90s}")
        done = self.release()
        self.assertIn("rollout:web: done", done.stderr)
        self.assert_answer("second")
        pods = json.loads(kubectl("get", "pods", "-n", self.namespace, "-o", "json").stdout)["items"]
        self.assertEqual(len([pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]), 2)

    def test_blue_green(self):
        strategy = "{type: blue-green, keep: 10m, deadline: 60s}"
        with self.subTest("the first release is the plain Deployment"):
            self.use("first", strategy)
            self.release()
            self.assert_answer("first")
            self.assertEqual(self.side(), "e2e-strategies")

        with self.subTest("the second one stands beside it and gets the requests in one switch, none of which fails"):
            self.use("second", strategy)
            with Load(PORT, "/index.json") as load:
                done = self.release()
            self.assertIn("switch:web: done: from blue to green", done.stderr)
            self.assertGreater(load.total, 100)
            self.assertEqual(load.failures, [])
            self.assert_answer("second")
            self.assertEqual(self.side(), "e2e-strategies-green")
            self.assertEqual(self.live("deployment")["status"]["availableReplicas"], 2, "it is kept to go back to")
            self.assertEqual(self.live("poddisruptionbudget")["spec"]["selector"]["matchLabels"]
                             ["app.kubernetes.io/instance"], "e2e-strategies-green")

        with self.subTest("the same again switches nothing"):
            again = self.release()
            self.assertIn("switch:web: unchanged: green is live", again.stderr)
            self.assertEqual(self.side(), "e2e-strategies-green")

        with self.subTest("a new side that fails never gets a request"):
            self.use("broken", strategy, 'CMD ["false"')
            with Load(PORT, "/index.json") as load:
                done = self.release(5)
            self.assertIn("switch:web: skipped", done.stderr)
            self.assertEqual(load.failures, [])
            self.assert_answer("second")
            self.assertEqual(self.side(), "e2e-strategies-green")

        with self.subTest("promote: manual leaves the new side beside the old one"):
            manual = "{type: blue-green, promote: manual, keep: 0s, deadline: 60s}"
            self.use("looked-at", manual)
            done = self.release()
            self.assertIn("'deployctl promote web' switches to it", done.stderr)
            self.assert_answer("second")
            aborted = self.deployctl("abort", "web", "-e", "lab", "--yes")
            self.assert_exit(aborted, 0)
            self.assertEqual(self.live("deployment")["spec"]["replicas"], 0)
            self.assert_exit(self.deployctl("promote", "web", "-e", "lab", "--yes"), 7)
            self.assert_answer("second")
            self.release()
            with Load(PORT, "/index.json") as load:
                self.assert_exit(self.deployctl("promote", "web", "-e", "lab", "--yes"), 0)
            self.assertEqual(load.failures, [])
            self.assert_answer("looked-at")
            self.assertEqual(self.live("deployment", "web-green")["spec"]["replicas"], 0, "keep: 0s")

        with self.subTest("back to rolling: blue is what stays, and no request fails"):
            self.use("third", "{type: rolling, deadline: 60s}")
            with Load(PORT, "/index.json") as load:
                self.release()
            self.assertEqual(load.failures, [])
            self.assert_answer("third")
            self.assertEqual(self.side(), "e2e-strategies")
            self.assertEqual(self.live("deployment", "web-green"), {})


if __name__ == "__main__":
    unittest.main()
