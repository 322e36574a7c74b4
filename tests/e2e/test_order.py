"""Services begin when what they depend on is rolled out; what does not depend on each other goes on at once."""

import json
import unittest

from harness import ProjectTest, kubectl

READY_AFTER = """    image: busybox:1.36
    pin: tag
    command: [sh, -c, "sleep {seconds}; touch /tmp/ready; exec sleep 3600"]
    health: {{readiness: {{command: [test, -f, /tmp/ready], period: 1s}}}}
    strategy: {{deadline: 60s}}
"""
BROKEN = """    image: busybox:1.36
    pin: tag
    command: [sh, -c, "echo no disk; exit 7"]
    strategy: {deadline: 60s}
"""


class Order(ProjectTest):
    namespace = "e2e-order"

    def use(self, db):
        services = {"api": READY_AFTER.format(seconds=1) + "    depends_on: [db]\n", "db": db,
                    "web": READY_AFTER.format(seconds=1) + "    depends_on: [api]\n",
                    "cache": READY_AFTER.format(seconds=5)}
        self.write("deployctl.yaml", "project: e2e-order\nservices:\n" +
                   "".join(f"  {name}:\n{text}" for name, text in services.items()) +
                   f"environments:\n  lab: {{namespace: {self.namespace}}}\n")
        self.commit()

    def deployments(self):
        listed = json.loads(kubectl("get", "deployments", "-n", self.namespace, "-o", "json").stdout)["items"]
        return {each["metadata"]["name"]: each for each in listed}

    @staticmethod
    def created(deployment):
        return deployment["metadata"]["creationTimestamp"]

    @staticmethod
    def available(deployment):
        return next(condition["lastTransitionTime"] for condition in deployment["status"]["conditions"]
                    if condition["type"] == "Available")

    def test_follows_depends_on_and_lets_the_rest_go_at_once(self):
        self.use(READY_AFTER.format(seconds=4))
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(done, 0)
        live = self.deployments()
        self.assertLessEqual(self.available(live["db"]), self.created(live["api"]))
        self.assertLessEqual(self.available(live["api"]), self.created(live["web"]))
        self.assertLess(self.created(live["cache"]), self.available(live["db"]))
        for service in ("db", "api", "web", "cache"):
            self.assertIn(f"rollout:{service}: done", done.stderr)

    def test_stops_what_depends_on_a_failed_service_and_lets_the_rest_come_to_its_end(self):
        self.use(BROKEN)
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(done, 5)
        self.assertIn("no disk", done.stderr)
        self.assertIn("apply:deployment/api: skipped: not started: apply deployment/api (because db failed)", done.stderr)
        self.assertIn("apply:deployment/web: skipped: not started: apply deployment/web (because db failed)", done.stderr)
        self.assertIn("rollout:cache: done", done.stderr)
        self.assertEqual(sorted(self.deployments()), ["cache", "db"])


if __name__ == "__main__":
    unittest.main()
