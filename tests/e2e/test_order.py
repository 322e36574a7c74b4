"""Services begin when what they depend on is rolled out; what does not depend on each other goes on at once."""

import json
import unittest

from harness import ProjectTest, kubectl, registry

READY_AFTER = """    image: busybox:1.36
    pin: tag
    command: [sh, -c, "sleep {seconds}; touch /tmp/ready; exec sleep 3600"]
    health: {{readiness: {{command: [test, -f, /tmp/ready], period: 1s}}}}
    strategy: {{deadline: 60s}}
"""
# Fails as fast as a rollout can: the registry itself says that there is no such image.
BROKEN = f"""    image: {registry()}/e2e-order/nowhere:1
    pin: tag
    strategy: {{deadline: 60s}}
"""


class Order(ProjectTest):
    namespace = "e2e-order"

    def use(self, db):
        services = {"api": READY_AFTER.format(seconds=1) + "    depends_on: [db]\n", "db": db,
                    "web": READY_AFTER.format(seconds=1) + "    depends_on: [api]\n",
                    "cache": READY_AFTER.format(seconds=3),
                    "late": READY_AFTER.format(seconds=0) + "    depends_on: [cache]\n"}
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
        self.use(READY_AFTER.format(seconds=3))
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(done, 0)
        live = self.deployments()
        self.assertLessEqual(self.available(live["db"]), self.created(live["api"]))
        self.assertLessEqual(self.available(live["api"]), self.created(live["web"]))
        self.assertLess(self.created(live["cache"]), self.available(live["db"]))
        for service in ("db", "api", "web", "cache", "late"):
            self.assertIn(f"rollout:{service}: done", done.stderr)

    def test_stops_what_depends_on_a_failed_service_and_lets_the_rest_come_to_its_end(self):
        self.use(BROKEN)
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(done, 5)
        self.assertIn("nowhere:1", done.stderr)
        self.assertIn("apply:deployment/api: skipped: not started: apply deployment/api (because db failed)", done.stderr)
        self.assertIn("apply:deployment/web: skipped: not started: apply deployment/web (because db failed)", done.stderr)
        self.assertIn("rollout:cache: done", done.stderr)
        self.assertIn("apply:deployment/late: skipped: not started", done.stderr)
        self.assertEqual(sorted(self.deployments()), ["cache", "db"])
        with self.subTest("on demand, what does not depend on the failed service is still begun"):
            done = self.deployctl("rollout", "-e", "lab", "--yes", "--on-failure", "keep")
            self.assert_exit(done, 5)
            self.assertIn("rollout:late: done", done.stderr)
            self.assertIn("apply:deployment/api: skipped: not started: apply deployment/api (because db failed)", done.stderr)
            self.assertEqual(sorted(self.deployments()), ["cache", "db", "late"])
            self.assertNotIn("going back", done.stderr)

    def test_is_kept_on_the_way_back_and_no_task_is_run_again(self):
        def use(value, api):
            self.write("deployctl.yaml", f"""project: e2e-order
services:
  api:
{api}    env: {{V: "{value}"}}
    depends_on: [db]
    tasks: {{migrate: {{command: ["true"]}}}}
  db:
{READY_AFTER.format(seconds=1)}    env: {{V: "{value}"}}
environments:
  lab: {{namespace: {self.namespace}}}
""")
            self.commit()

        def assert_order(output):
            self.assertRegex(output, r"(?s)rollout:db: (done|unchanged).*apply:deployment/api: ")
            self.assertNotRegex(output, r"(?s)apply:deployment/api: .*rollout:db: ")
            self.assertNotIn("task:", output)

        use("1", READY_AFTER.format(seconds=0))
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 0)
        use("2", BROKEN)
        failed = self.deployctl("rollout", "-e", "lab", "--yes", "--on-failure", "undo")
        self.assert_exit(failed, 5)
        assert_order(failed.stderr.split("going back to release 1")[1])
        undone = self.deployctl("undo", "-e", "lab", "--yes")
        self.assert_exit(undone, 0)
        assert_order(undone.stderr)
        self.assertEqual(self.deployments()["api"]["status"]["readyReplicas"], 1)


if __name__ == "__main__":
    unittest.main()
