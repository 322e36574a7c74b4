"""What only a cluster of the test's own can show: no controller at work, and a server that comes back with its past
forgotten. The test is the controller where one is needed.
"""

import json
import os
import subprocess
import sys
import time
import unittest

from harness import DEPLOYCTL, SOURCE, ProjectTest

sys.path.insert(0, str(SOURCE / "tests/support"))
from own_cluster import OwnCluster  # noqa: E402


class OwnClusterTest(ProjectTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = OwnCluster()
        cls.addClassCleanup(cls.cluster.close)

    def use(self, name, replicas):
        self.write("deployctl.yaml", f"""project: {name}
services:
  web: {{image: 'busybox:1.36', pin: tag, replicas: {replicas}}}
environments:
  own: {{namespace: {name}}}
""")

    def begin(self, *arguments):
        return subprocess.Popen([DEPLOYCTL, "--output", "json", "rollout", "-e", "own", "--yes", *arguments],
                                cwd=self.folder, env={**os.environ, "KUBECONFIG": self.cluster.kubeconfig},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_for_deployment(self, namespace, process):
        end = time.monotonic() + 60
        while True:
            if process.poll() is not None:
                self.fail("\n".join(process.communicate()))
            found = self.cluster.kubectl("get", "deployment", "web", "-n", namespace, "-o", "json")
            if found.returncode == 0:
                return json.loads(found.stdout)
            self.assertLess(time.monotonic(), end, found)
            time.sleep(0.1)

    def test_that_no_controller_is_at_work_is_said(self):
        self.use("idle", 1)
        with self.begin("--timeout", "20s") as process:
            output, errors = process.communicate(timeout=120)
        events = [json.loads(line) for line in output.splitlines()]
        findings = [event for event in events if event["type"] == "finding"]
        self.assertEqual({each["rule"] for each in findings}, {"controller-not-acting"}, output + errors)
        self.assertEqual(process.returncode, 6, output + errors)
        self.assertIn("kube-controller-manager", output)

    def test_a_server_that_has_forgotten_what_was_watched_is_listed_anew(self):
        self.use("forgetful", 0)
        with self.begin("--timeout", "60s") as process:
            made = self.wait_for_deployment("forgetful", process)
            for number in range(3):
                self.cluster.kubectl("create", "configmap", f"later-{number}", "-n", "forgetful")
            self.cluster.stop_api_server()
            self.cluster.forget_old_versions()
            self.cluster.start_api_server()
            self.cluster.write_status("/apis/apps/v1/namespaces/forgetful/deployments/web",
                                      {"observedGeneration": made["metadata"]["generation"]})
            output, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, output + errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
