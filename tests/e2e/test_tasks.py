"""Tasks: run once for each release, before or after the rollout, with what they print and why they failed."""

import json
import signal
import subprocess
import time
import unittest

from harness import DEPLOYCTL, ProjectTest, kubectl

MANIFEST = """project: e2e-tasks
services:
  api:
    image: busybox:1.36
    pin: tag
    command: [sh, -c, "exec sleep 3600"]
    env: {{RELEASE: "{release}"}}
    strategy: {{deadline: 60s}}
    tasks:
{tasks}
environments:
  lab: {{namespace: {namespace}}}
"""


def task(name, script, more=""):
    return f"      {name}: {{command: [sh, -c, \"{script}\"]{more}}}"


class Tasks(ProjectTest):
    namespace = "e2e-tasks"

    def use(self, *tasks, release="1"):
        self.write("deployctl.yaml",
                   MANIFEST.format(release=release, tasks="\n".join(tasks), namespace=self.namespace))
        self.commit()

    def rollout(self, code=0):
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(done, code)
        return done

    def items(self, kind):
        return json.loads(kubectl("get", kind, "-n", self.namespace, "-o", "json").stdout)["items"]

    def names(self, kind):
        return sorted(each["metadata"]["name"] for each in self.items(kind))

    def test_run_once_for_each_release_with_its_configuration(self):
        with self.subTest("before and after the rollout, told line by line"):
            self.use(task("migrate", "echo release $RELEASE; sleep 1; echo migrated"),
                     task("warm-up", "echo warm", ", when: after-rollout"))
            done = self.rollout()
            self.assertIn("task:api/migrate: migrate: release 1\n", done.stderr)
            self.assertIn("task:api/migrate: migrate: migrated\n", done.stderr)
            self.assertIn("task:api/warm-up: warm-up: warm\n", done.stderr)
            lines = done.stderr
            self.assertLess(lines.index("task:api/migrate: done"), lines.index("apply:deployment/api: deployment/api created"))
            self.assertLess(lines.index("rollout:api: done"), lines.index("task:api/warm-up: running"))
            jobs = {each["metadata"]["labels"]["deployctl.dev/task"]: each for each in self.items("jobs")}
            deployment = self.items("deployments")[0]
            self.assertLessEqual(jobs["migrate"]["status"]["completionTime"], deployment["metadata"]["creationTimestamp"])
            self.assertGreaterEqual(jobs["warm-up"]["metadata"]["creationTimestamp"],
                                    deployment["status"]["conditions"][0]["lastTransitionTime"])

        with self.subTest("the same release does not run them again"):
            before = self.names("jobs")
            again = self.rollout()
            self.assertRegex(again.stderr, r"task:api/migrate: unchanged: job/api-migrate-[0-9a-f]{8} has done it")
            self.assertEqual(self.names("jobs"), before)

        with self.subTest("another one does"):
            self.use(task("migrate", "echo release $RELEASE"), release="2")
            done = self.rollout()
            self.assertIn("task:api/migrate: migrate: release 2\n", done.stderr)
            self.assertEqual(len(self.names("jobs")), len(before) + 1)

        with self.subTest("one that differs in nothing but a task is a release, and stands in the history when that fails"):
            self.write("deployctl.yaml", MANIFEST.format(release="2", tasks=task("migrate", "echo no table >&2; exit 1"),
                                                         namespace=self.namespace))
            failed = self.deployctl("-q", "rollout", "-e", "lab", "--yes")
            self.assert_exit(failed, 5)
            self.assertIn("task:api/migrate: migrate: no table\n", failed.stderr)
            listed = self.deployctl("history", "-e", "lab", "--output", "json")
            self.assertEqual([each["state"] for each in json.loads(listed.stdout)["releases"]][:2], ["failed", "deployed"])

    def test_that_fail_leave_the_workload_untouched_and_are_tried_again_by_the_next_run(self):
        self.use(task("migrate", "echo no such table; exit 7"))
        failed = self.rollout(5)
        self.assertIn("no such table", failed.stderr)
        self.assertIn("exit code 7", failed.stderr)
        self.assertIn("apply:deployment/api: skipped: not started: apply deployment/api (because the task migrate of api failed)", failed.stderr)
        self.assertEqual(self.names("deployments"), [])
        with self.subTest("what it printed can be read later"):
            logs = self.deployctl("logs", "api", "-e", "lab", "--task", "migrate")
            self.assert_exit(logs, 0)
            self.assertRegex(logs.stdout, r"^api-migrate-\S+ \| no such table\n$")
            unknown = self.deployctl("logs", "api", "-e", "lab", "--task", "migrat")
            self.assert_exit(unknown, 1)
            self.assertIn("api has no task 'migrat'", unknown.stderr)
        self.rollout(5)
        first, second = self.names("jobs")
        self.assertEqual(second, first + "-2")

    def test_whose_image_cannot_be_had_fail_with_that_and_do_not_run_later(self):
        self.use(task("migrate", "true"))
        text = (self.folder / "deployctl.yaml").read_text(encoding="utf-8")
        self.write("deployctl.yaml", text.replace("busybox:1.36", "127.0.0.1:5000/e2e-tasks/nowhere:1"))
        self.commit()
        done = self.rollout(5)
        self.assertIn("nowhere:1", done.stderr)
        self.assertIn("is taken away", done.stderr)
        self.assertLess(done.seconds, 60, done)
        self.assertEqual(self.names("jobs"), [])

    def test_that_a_killed_run_has_left_before_they_began_do_not_run_later(self):
        self.use()
        text = (self.folder / "deployctl.yaml").read_text(encoding="utf-8").replace("    tasks:\n\n", "")
        self.write("deployctl.yaml", text)
        self.commit()
        self.rollout()
        self.use(task("migrate", "true"), release="2")
        text = (self.folder / "deployctl.yaml").read_text(encoding="utf-8")
        self.write("deployctl.yaml", text.replace("busybox:1.36", "127.0.0.1:1/nobody/listens:1"))
        self.commit()
        with subprocess.Popen([DEPLOYCTL, "rollout", "-e", "lab", "--yes"], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
            end = time.monotonic() + 60
            while not self.names("jobs") and time.monotonic() < end:
                time.sleep(0.1)
            killed.kill()
        name, = self.names("jobs")
        undo = self.deployctl("undo", "-e", "lab", "--yes")
        self.assert_exit(undo, 0)
        self.assertIn(f"job/{name} is taken away: a run that was interrupted has left it", undo.stderr)
        self.assertEqual(self.names("jobs"), [])

    def test_that_a_stopped_run_has_left_at_work_are_waited_for_by_those_of_another_release(self):
        self.use(task("prepare", "true"), release="0")
        self.rollout()
        self.use(task("migrate", "echo started; sleep 20"), release="1")
        with subprocess.Popen([DEPLOYCTL, "rollout", "-e", "lab", "--yes"], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as stopped:
            seen = ""
            end = time.monotonic() + 60
            while "migrate: started" not in seen and time.monotonic() < end:
                seen += stopped.stderr.readline()
            stopped.send_signal(signal.SIGHUP)
            seen += stopped.communicate(timeout=60)[1]
        self.assertEqual(stopped.returncode, 130, seen)
        first, = (each for each in self.names("jobs") if "migrate" in each)
        undo = self.deployctl("undo", "-e", "lab", "--yes")
        self.assert_exit(undo, 0)
        self.assertIn(f"job/{first} is still at work", undo.stderr)
        self.use(task("migrate", "sleep 1"), release="2")
        self.assertIn(f"waiting for job/{first} to end: a run that was interrupted has left it at work", self.rollout().stderr)
        migrations = [each for each in self.items("jobs") if "migrate" in each["metadata"]["name"]]
        ended, begun = (next(each["status"][what] for each in migrations if (each["metadata"]["name"] == first) == old)
                        for what, old in (("completionTime", True), ("startTime", False)))
        self.assertLessEqual(ended, begun)

    def test_run_as_an_account_of_their_own(self):
        self.use(task("migrate", "test -s /var/run/secrets/kubernetes.io/serviceaccount/token && echo with a token",
                      ", service_account: migrations"))
        refused = self.rollout(3)
        self.assertIn("names the ServiceAccount migrations, which is not in namespace", refused.stderr)
        kubectl("create", "namespace", self.namespace)
        kubectl("create", "serviceaccount", "migrations", "-n", self.namespace)
        self.assertIn("with a token", self.rollout().stderr)

    def test_that_take_too_long_are_ended(self):
        # A shell that is process 1 does not heed SIGTERM: it is killed.
        self.use(task("migrate", "echo started; sleep 600", ", timeout: 3s"))
        done = self.rollout(5)
        self.assertIn("DeadlineExceeded", done.stderr)
        self.assertEqual(self.names("deployments"), [])

    def test_go_on_after_ctrl_c_and_are_taken_up_by_the_next_run(self):
        self.use(task("migrate", "echo started; sleep 5; echo finished"))
        run = subprocess.Popen([DEPLOYCTL, "rollout", "-e", "lab", "--yes"], cwd=self.folder, stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, text=True)
        seen = ""
        end = time.monotonic() + 60
        while "migrate: started" not in seen and time.monotonic() < end:
            seen += run.stderr.readline()
        run.send_signal(signal.SIGINT)
        seen += run.communicate(timeout=60)[1]
        self.assertEqual(run.returncode, 130, seen)
        self.assertIn("apply deployment/api (because the run was stopped)", seen)
        self.assertRegex(seen, r"was not stopped: job/api-migrate-[0-9a-f]{8} goes on")
        self.assertEqual(self.names("deployments"), [])
        done = self.rollout()
        self.assertIn("still runs: it is taken up", done.stderr)
        self.assertIn("migrate: finished", done.stderr)
        self.assertEqual(len(self.names("jobs")), 1)

    def test_that_old_pods_cannot_live_with_run_when_these_are_gone_and_bar_the_way_back(self):
        def use(*tasks, release):
            # Old pods take a while to end, as those that serve do; a node that is busy may tell it a minute later.
            manifest = MANIFEST.replace("exec sleep 3600", "trap 'sleep 4; exit' TERM; sleep 3600 & wait")
            manifest = manifest.replace("deadline: 60s", "deadline: 3m")
            text = manifest.format(release=release, tasks="\n".join(tasks), namespace=self.namespace)
            self.write("deployctl.yaml", text.replace("    tasks:\n\n", ""))
            self.commit()

        use(release="1")
        self.rollout()
        use(task("clean-up", "echo dropped", ", compatible: contract"), release="2")
        with self.subTest("the plan says so"):
            plan = self.deployctl("plan", "-e", "lab")
            self.assertIn("run clean-up of api  (when the old pods are gone; no way back behind it)", plan.stdout)
        with self.subTest("after the last old pod"):
            done = self.rollout()
            self.assertRegex(done.stderr, r"waiting for old pods to go: pod/api-")
            self.assertIn("task:api/clean-up: clean-up: dropped\n", done.stderr)
            running = [pod["metadata"]["name"] for pod in self.items("pods")
                       if any("running" in each["state"] for each in pod["status"]["containerStatuses"])]
            self.assertEqual(len(running), 1)  # the new one
        with self.subTest("undo is refused, and done when it is insisted on"):
            refused = self.deployctl("undo", "-e", "lab", "--yes")
            self.assert_exit(refused, 7)
            self.assertIn("release 2 has begun api/clean-up, and release 1 does not work with what that leaves",
                          refused.stderr)
            self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes", "--allow-incompatible"), 0)
        with self.subTest("a failure after it is not undone by itself either"):
            use(task("clean-up", "echo half; exit 3", ", compatible: contract"), release="3")
            done = self.deployctl("rollout", "-e", "lab", "--yes", "--on-failure", "undo")
            self.assert_exit(done, 10)
            self.assertIn("release 4 has begun api/clean-up, and release 3 does not work with what that leaves",
                          done.stderr)
            self.assertIn("mend it forward", done.stderr)


    def test_behind_which_there_is_no_way_back_are_not_passed_by_a_release_of_another_service(self):
        def use(*tasks, release, web):
            text = MANIFEST.format(release=release, tasks="\n".join(tasks), namespace=self.namespace)
            other = f"  web: {{image: 'busybox:1.36', pin: tag, replicas: 0, command: [sleep, infinity], env: {{V: '{web}'}}}}\n"
            self.write("deployctl.yaml", text.replace("    tasks:\n\n", "").replace("environments:", other + "environments:"))
            self.commit()

        use(release="1", web="1")
        self.rollout()
        use(task("clean-up", "exit 3", ", compatible: contract"), release="2", web="2")
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes", "--on-failure", "stop"), 5)
        self.assert_exit(self.deployctl("rollout", "web", "-e", "lab", "--yes"), 0)
        use(release="4", web="2")
        self.rollout()
        refused = self.deployctl("undo", "-e", "lab", "--yes")
        self.assert_exit(refused, 7)
        self.assertIn("release 3 has api as it was before api/clean-up", refused.stderr)


if __name__ == "__main__":
    unittest.main()
