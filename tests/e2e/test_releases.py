"""The ledger as its users meet it: history, undo of everything, the lock, older commits, prune, what a failure leaves."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

from harness import DEPLOYCTL, SOURCE, ProjectTest, kubectl, registry, run

sys.path.insert(0, str(SOURCE / "tests/support"))
from api_proxy import ApiProxy  # noqa: E402

SERVING = """    image: busybox:1.36
    pin: tag
    command: [sh, -c, "sleep 1; touch /tmp/ready; exec sleep 3600"]
    health: {readiness: {command: [test, -f, /tmp/ready], period: 1s}}
    strategy: {deadline: 60s}
"""
# Fails as fast as a rollout can: the registry itself says that there is no such image.
BROKEN = f"""    image: {registry()}/e2e-releases/nowhere:1
    pin: tag
    strategy: {{deadline: 60s}}
"""
NO_PODS = """    image: busybox:1.36
    pin: tag
    replicas: 0
"""


class ReleasesTest(ProjectTest):
    project = None

    def setUp(self):
        self.namespace = self.project
        super().setUp()

    def use(self, services, commit=True):
        self.write("deployctl.yaml", f"project: {self.project}\nservices:\n" +
                   "".join(f"  {name}:\n{text}" for name, text in services.items()) +
                   f"environments:\n  lab: {{namespace: {self.namespace}}}\n")
        if commit:
            self.commit()

    def rollout(self, *arguments, code=0, env=None):
        done = self.deployctl("rollout", "-e", "lab", *arguments, env=env)
        self.assert_exit(done, code)
        return done

    def history(self):
        done = self.deployctl("--output", "json", "history", "-e", "lab")
        self.assert_exit(done, 0)
        return json.loads(done.stdout)["releases"]

    def states(self):
        return [(each["number"], each["state"]) for each in self.history()]

    def names(self, kind, selector="app.kubernetes.io/managed-by=deployctl"):
        listed = kubectl("get", kind, "-n", self.namespace, "-l", selector, "-o", "name").stdout
        return sorted(line.split("/")[1] for line in listed.split())

    def deployment(self, name):
        return json.loads(kubectl("get", "deployment", name, "-n", self.namespace, "-o", "json").stdout)

    def configuration_of(self, name):
        """The ConfigMap the pods of a service read their environment from."""
        container = self.deployment(name)["spec"]["template"]["spec"]["containers"][0]
        reference = next(each["configMapRef"]["name"] for each in container["envFrom"] if "configMapRef" in each)
        return json.loads(kubectl("get", "configmap", reference, "-n", self.namespace, "-o", "json").stdout)["data"]

    def head(self):
        return run(["git", "rev-parse", "HEAD"], cwd=self.folder).stdout.strip()


class History(ReleasesTest):
    project = "e2e-history"

    def test_records_lists_and_restores_everything_of_a_release(self):
        with self.subTest("before the first release everything answers clearly"):
            self.use({"web": NO_PODS})
            listed = self.deployctl("history", "-e", "lab")
            self.assert_exit(listed, 0)
            self.assertIn(f"no release of e2e-history is recorded in namespace {self.namespace} yet", listed.stderr)
            undone = self.deployctl("undo", "-e", "lab", "--yes")
            self.assert_exit(undone, 1)
            self.assertIn("no release of e2e-history is recorded", undone.stderr)

        first_commit = self.head()
        with self.subTest("a rollout is a release"):
            self.use({"web": NO_PODS + "    port: 8080\n    env: {GREETING: first}\n"
                             "    secrets: {TOKEN: 'env:TOKEN'}\n",
                      "old": NO_PODS + "    port: 8081\n"})
            first_commit = self.head()
            done = self.rollout(env={"TOKEN": "first-value"})
            self.assertIn("release 1", done.stderr)
            (release,) = self.history()
            self.assertEqual((release["number"], release["state"], release["commit"], release["action"]),
                             (1, "deployed", first_commit, "rollout"))
            self.assertEqual(release["services"], ["web", "old"])
            self.assertTrue(release["actor"])
            self.assertTrue(release["finished"])
            secret = json.loads(kubectl("get", "secret", "deployctl.e2e-history.lab.v1", "-n", self.namespace, "-o",
                                        "json").stdout)
            self.assertEqual((secret["type"], secret["immutable"]), ("deployctl.dev/release.v1", True))
            self.assertNotIn("first-value", json.dumps(secret))

        first = self.deployment("web")
        first_configuration = (self.names("configmap"), self.names("service"))
        with self.subTest("the same again is no release"):
            again = self.rollout(env={"TOKEN": "first-value"})
            self.assertIn("release 1 says the same and is live", again.stderr)
            self.assertEqual(self.states(), [(1, "deployed")])

        with self.subTest("what the project no longer has goes, shown first by the plan"):
            # another configuration, another second service
            self.use({"web": NO_PODS + "    port: 8080\n    env: {GREETING: second}\n    secrets: {TOKEN: 'env:TOKEN'}\n",
                      "worker": NO_PODS})
            plan = self.deployctl("plan", "-e", "lab", env={"TOKEN": "second-value"})
            self.assert_exit(plan, 0)
            self.assertRegex(plan.stdout, r"create +apply secret/web-secrets-[0-9a-f]{8}  \(new\)")
            self.assertRegex(plan.stdout, r"replaces the pods: .*env\[TOKEN\]")
            self.assertIn("delete service/old", plan.stdout)
            self.assertIn("delete deployment/old", plan.stdout)
            self.assertIn("2 to delete", plan.stdout)
            self.assertEqual(self.names("service"), ["old", "web"])
            done = self.rollout(env={"TOKEN": "second-value"})
            self.assertIn("service/old pruned", done.stderr)
            self.assertEqual(self.names("service"), ["web"])
            self.assertEqual(self.states(), [(2, "deployed"), (1, "superseded")])
            # Configuration that release 1 needs stays.
            self.assertEqual(len(self.names("configmap")), 2)
            self.assertEqual(len(self.names("secret", "app.kubernetes.io/name=web")), 2)

        with self.subTest("undo restores all of it, Service and configuration too, as a new release"):
            undone = self.deployctl("undo", "-e", "lab", "--yes")
            self.assert_exit(undone, 0)
            self.assertRegex(undone.stderr, rf"going back to release 1 \(commit {first_commit[:7]}\), made \S+ ago by \S+\n")
            self.assertEqual(self.states(), [(3, "deployed"), (2, "superseded"), (1, "superseded")])
            newest = self.history()[0]
            self.assertEqual((newest["action"], newest["commit"]), ("undo to release 1", first_commit))
            self.assertEqual(self.names("service"), first_configuration[1])
            self.assertEqual(self.deployment("web")["spec"], first["spec"])
            self.assertEqual(self.names("deployment"), ["old", "web"])  # release 1 had no worker

        with self.subTest("undo goes to any release that was deployed"):
            self.assert_exit(self.deployctl("undo", "-e", "lab", "--to", "2", "--yes"), 0)
            self.assertEqual(self.names("deployment"), ["web", "worker"])
            missing = self.deployctl("undo", "-e", "lab", "--to", "9", "--yes")
            self.assert_exit(missing, 1)
            self.assertIn("there is no release 9", missing.stderr)
            self.assertIn("one can go back to 4, 3, 2, 1", missing.stderr)

        with self.subTest("of one service only, too"):
            self.assert_exit(self.deployctl("undo", "web", "-e", "lab", "--to", "1", "--yes"), 0)
            self.assertEqual(self.names("deployment"), ["web", "worker"])
            self.assertIn("first", json.dumps(self.configuration_of("web")))

        with self.subTest("a Secret that is gone is said before anything is changed"):
            self.assert_exit(kubectl("delete", "secret", "-n", self.namespace, "-l", "app.kubernetes.io/name=web"), 0)
            refused = self.deployctl("undo", "-e", "lab", "--to", "2", "--yes")
            self.assert_exit(refused, 7)
            self.assertRegex(refused.stderr, r"release 2 needs secret/web-secrets-[0-9a-f]{8}, which is gone")

        with self.subTest("status says which release, whose, and how old"):
            status = self.deployctl("status", "-e", "lab")
            self.assert_exit(status, 0)
            self.assertRegex(status.stdout, r"release 5: live, commit [0-9a-f]{7}, .* ago by ")

    def node_ports(self):
        services = json.loads(kubectl("get", "services", "-n", self.namespace, "-o", "json").stdout)["items"]
        return {each["metadata"]["name"]: each["spec"]["ports"][0]["nodePort"] for each in services}

    def test_hands_a_node_port_over_from_a_service_that_goes(self):
        ending = SERVING.replace("exec sleep 3600", "trap exit TERM; sleep 3600 & wait")

        def use(name, script=ending):
            self.use({name: script + "    port: 8080\n    service: {type: NodePort, node_port: 30987}\n"})

        use("api")
        self.rollout()
        use("backend", BROKEN)
        self.rollout("--on-failure", "stop", code=5)
        self.assertEqual(self.node_ports(), {"api": 30987}, "who has no pods gets no port")
        use("backend")
        with self.subTest("as the plan shows"):
            plan = self.deployctl("plan", "-e", "lab")
            self.assertRegex(plan.stdout, r"(?s)watch the rollout of backend.*delete service/api .*in the way of apply "
                                          r"service/backend\).*apply service/backend")
        with self.subTest("a run about it alone says what would"):
            one = self.rollout("backend", code=3)
            self.assertIn("service/api has it, which this run leaves alone", one.stderr)
        self.rollout()
        self.assertEqual(self.node_ports(), {"backend": 30987})
        self.assertIsNone(self.get("deployment", "api"))
        with self.subTest("and back"):
            self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes"), 0)
            self.assertEqual(self.node_ports(), {"api": 30987})
        with self.subTest("also when what comes after it fails"):
            use("backend", ending + "    tasks: {check: {command: [\"false\"], when: after-rollout, retries: 0}}\n")
            self.rollout("--on-failure", "undo", code=5)
            self.assertEqual(self.node_ports(), {"api": 30987})

    def test_hands_a_node_port_over_from_a_service_that_stays(self):
        def use(**ports):
            self.use({name: NO_PODS + f"    port: 8080\n    service: {{type: NodePort, node_port: {port}}}\n"
                      for name, port in ports.items()})

        use(api=30985)
        self.rollout()
        use(api=30984, web=30985)
        self.rollout()
        self.assertEqual(self.node_ports(), {"api": 30984, "web": 30985})
        use(api=30985, web=30984)
        exchanged = self.rollout(code=3)
        self.assertIn("gives it up no sooner than this one is there", exchanged.stderr)
        self.assertIn("nothing was changed", exchanged.stderr)

    def test_gives_a_service_its_replicas_back_from_the_autoscaler_that_goes(self):
        scaled = "    scale: {min: 2, max: 3, cpu: 80}\n    resources: {cpu: 10m}\n"
        serving = SERVING.replace("exec sleep 3600", "trap exit TERM; sleep 3600 & wait")
        self.use({"web": serving + scaled})
        self.rollout()
        end = time.monotonic() + 60
        while self.get("deployment", "web")["spec"]["replicas"] != 2:
            self.assertLess(time.monotonic(), end, "the autoscaler does nothing")
            time.sleep(0.2)
        self.use({"web": serving + scaled.replace("scale: {min: 2, max: 3, cpu: 80}", "replicas: 1")})
        plan = self.deployctl("plan", "-e", "lab")
        self.assertRegex(plan.stdout, r"delete horizontalpodautoscaler/web .*in the way of apply deployment/web\)\n +update +apply deployment/web")
        done = self.rollout()
        self.assertNotIn("an autoscaler has the replicas", done.stderr)
        self.assertLess(done.stderr.index("horizontalpodautoscaler/web pruned"), done.stderr.index("apply:deployment/web"))
        self.assertEqual(self.get("deployment", "web")["spec"]["replicas"], 1)
        self.assertIsNone(self.get("hpa", "web"))

    def test_leaves_the_pods_that_an_autoscaler_has_made(self):
        def use(version, pods):
            self.use({"web": f"""    image: busybox:1.36
    pin: tag
    command: [sh, -c, "trap exit TERM; while :; do sleep 0.2; done"]
    resources: {{cpu: 10m}}
    env: {{VERSION: "{version}"}}
    strategy: {{deadline: 120s}}
    {pods}
"""})
            self.rollout()

        use(1, "replicas: 1")
        use(2, "scale: {min: 1, max: 4}")
        self.assertEqual(kubectl("scale", "deployment/web", "-n", self.namespace, "--replicas=3").code, 0)
        use(3, "scale: {min: 1, max: 4}")
        self.assertEqual(self.deployment("web")["spec"]["replicas"], 3)
        self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes"), 0)
        self.assertEqual(self.configuration_of("web"), {"VERSION": "2"})
        self.assertEqual(self.deployment("web")["spec"]["replicas"], 3)

    def test_about_one_service_leaves_the_others_what_they_live_on(self):
        alike = {"b": NO_PODS + "    env: {X: first}\n"}
        self.use({"a": NO_PODS, **alike})
        self.rollout()
        alike = {"b": NO_PODS + "    env: {X: second}\n", "c": NO_PODS}
        self.use({"a": BROKEN, **alike})
        self.rollout("--on-failure", "keep", code=5)
        self.use({"a": NO_PODS + "    env: {Y: new}\n", **alike})
        self.assertNotRegex(self.deployctl("plan", "a", "-e", "lab").stdout, r"delete \w+/")
        done = self.rollout("a")
        self.assertIn("release 2 failed, and what it did to b, c stays as it is", done.stderr)
        self.assertNotIn("pruned", done.stderr)
        self.assertEqual(self.configuration_of("b"), {"X": "second"})
        self.assertEqual(self.names("deployment"), ["a", "b", "c"])
        self.assertEqual([each["action"] for each in self.history()], ["rollout of a", "rollout", "rollout"])
        self.use({"a": BROKEN, **alike})
        self.assertIn("going back to release 3", self.rollout("a", "--on-failure", "undo", code=5).stderr)
        self.assertEqual(self.configuration_of("a"), {"Y": "new"})
        self.assertEqual(self.configuration_of("b"), {"X": "second"}, "the run was not about it")
        self.use({"a": NO_PODS + "    env: {Y: new}\n", **alike})
        self.rollout()
        self.assertEqual(self.names("deployment"), ["a", "b", "c"])
        self.assertEqual(self.configuration_of("b"), {"X": "second"})
        with self.subTest("undo of one goes behind the releases that were about others"):
            self.use({"a": NO_PODS + "    env: {Y: newer}\n", "b": NO_PODS + "    env: {X: third}\n", "c": NO_PODS})
            self.rollout("a")
            self.rollout("b")
            self.assert_exit(self.deployctl("undo", "a", "-e", "lab", "--yes"), 0)
            self.assertEqual((self.configuration_of("a"), self.configuration_of("b")), ({"Y": "new"}, {"X": "third"}))
        with self.subTest("undo of several says what the release it goes back to has as it is"):
            done = self.deployctl("undo", "b", "c", "-e", "lab", "--yes")
            self.assert_exit(done, 0)
            self.assertEqual(self.configuration_of("b"), {"X": "second"})
            self.assertRegex(done.stderr, r"warning: release \d+ has c as it is now")
            self.assertNotRegex(done.stderr, r"has b as it is now")
        with self.subTest("undo of what a failed release about it has left goes to the release that is live"):
            def use(a, b):
                self.use({"a": a, "b": NO_PODS + f"    env: {{X: {b}}}\n", "c": NO_PODS})

            use(a=NO_PODS + "    env: {Y: good}\n", b="third")
            self.rollout("a")
            use(a=BROKEN + "    env: {Y: bad}\n", b="third")
            self.rollout("a", "--on-failure", "stop", code=5)
            use(a=NO_PODS + "    env: {Y: good}\n", b="fourth")
            self.rollout("b")
            self.assertEqual(self.configuration_of("a"), {"Y": "bad"})
            self.assert_exit(self.deployctl("undo", "a", "-e", "lab", "--yes"), 0)
            self.assertEqual((self.configuration_of("a"), self.configuration_of("b")), ({"Y": "good"}, {"X": "fourth"}))
            self.assertEqual(self.deployment("a")["spec"]["replicas"], 0)
        with self.subTest("what belongs to another environment is not replaced"):
            self.write("deployctl.yaml", f"project: {self.project}\nservices:\n  a:\n{NO_PODS}"
                                         f"environments:\n  other: {{namespace: {self.namespace}}}\n")
            self.commit()
            refused = self.deployctl("rollout", "-e", "other", "--yes")
            self.assert_exit(refused, 7)
            self.assertIn(f"belongs to lab of {self.project}, and this is other of {self.project}", refused.stderr)
            self.assertEqual(self.configuration_of("a"), {"Y": "good"})
        with self.subTest("and when it was taken over, status says so to whom it belonged"):
            self.assert_exit(self.deployctl("rollout", "-e", "other", "--yes", "--take-over"), 0)
            self.assertNotIn("belongs to", self.deployctl("status", "-e", "other").stdout)
            self.use({"a": NO_PODS})
            self.assertIn(f"a: deployment/a in namespace {self.namespace} belongs to other of {self.project}",
                          self.deployctl("status", "-e", "lab").stdout)

    def test_prunes_only_what_is_ours(self):
        self.use({"web": NO_PODS + "    port: 8080\n", "kept": NO_PODS + "    port: 8081\n",
                  "taken": NO_PODS + "    port: 8082\n"})
        self.rollout()
        kubectl("annotate", "service", "kept", "-n", self.namespace, "deployctl.dev/keep=true")
        kubectl("delete", "service", "taken", "-n", self.namespace)
        kubectl("create", "service", "clusterip", "taken", "--tcp=80", "-n", self.namespace)
        kubectl("label", "service", "taken", "-n", self.namespace, "app.kubernetes.io/part-of=" + self.project,
                "app.kubernetes.io/managed-by=deployctl")
        self.use({"web": NO_PODS + "    port: 8080\n"})
        kubectl("delete", "deployment", "taken", "-n", self.namespace)
        with self.subTest("a plan lists what would really go"):
            plan = self.deployctl("plan", "-e", "lab")
            self.assertIn("delete deployment/kept", plan.stdout)
            self.assertIn("1 to delete", plan.stdout)
        done = self.rollout()
        self.assertIn("service/kept is not pruned: it is annotated deployctl.dev/keep", done.stderr)
        self.assertIn("service/taken is not pruned: somebody else has written it", done.stderr)
        self.assertEqual(self.names("service"), ["kept", "taken", "web"])
        self.assertEqual(self.names("deployment"), ["web"])

    def test_leaves_alone_what_another_environment_has_taken_over(self):
        def use(*services):
            self.write("deployctl.yaml", f"project: {self.project}\nservices:\n" +
                       "".join(f"  {name}:\n{NO_PODS}" for name in services) +
                       "environments:\n" + "".join(f"  {name}: {{namespace: {self.namespace}}}\n" for name in ("one", "two")))
            self.commit()

        def run_in(environment, command, *arguments, code=0):
            done = self.deployctl(command, *arguments, "-e", environment, "--yes")
            self.assert_exit(done, code)
            return done.stderr

        use("moved", "first")
        run_in("one", "rollout")
        use("second")
        run_in("two", "rollout")
        use("second", "moved")
        run_in("two", "rollout", "--take-over")
        with self.subTest("it is not pruned where it was"):
            use("first")
            self.assertNotIn("moved", self.deployctl("plan", "-e", "one").stdout)
            self.assertIn(f"deployment/moved is not pruned: it belongs to two of {self.project}", run_in("one", "rollout"))
        with self.subTest("undo and restart refuse it as rollout does"):
            whose = f"deployment/moved in namespace {self.namespace} belongs to two of {self.project}"
            self.assertIn(whose, run_in("one", "undo", code=7))
            use("moved", "first")
            self.assertIn(whose, run_in("one", "restart", code=7))
        self.assertEqual(self.deployment("moved")["metadata"]["labels"]["deployctl.dev/environment"], "two")

    def test_records_what_waits_of_a_release_that_says_the_same(self):
        walking = SERVING + "    port: 8080\n"
        canary = walking.replace("strategy: {", "strategy: {type: canary, steps: [{weight: 50}, {pause: manual}], ")
        sides = NO_PODS + "    port: 8080\n    strategy: {type: blue-green, promote: manual}\n"
        for name, service, words in (("canary", canary, "paused at 50 %"), ("sides", sides, "is ready and gets no request yet")):
            with self.subTest(name):
                self.use({name: service})
                self.rollout("--yes")
                patched = kubectl("patch", f"deployment/{name}", "-n", self.namespace, "--type=json", "-p",
                                  '[{"op": "remove", "path": "/spec/template/spec/containers/0/ports"}]')
                self.assertEqual(patched.code, 0, patched)
                self.assertIn(words, self.rollout("--yes").stderr)
                self.assertEqual(self.history()[0]["state"], "paused")
                self.assertIn("goes on", self.rollout("--yes").stderr)
                self.assert_exit(self.deployctl("promote", "-e", "lab", "--yes"), 0)
                self.assertEqual(self.history()[0]["state"], "deployed")
                self.assertIn("says the same and is live", self.rollout("--yes").stderr)

    def test_forgets_all_but_ten_releases_and_their_configuration(self):
        for number in range(1, 13):
            self.use({"web": NO_PODS + f"    env: {{NUMBER: 'n{number}'}}\n"})
            self.rollout()
        self.assertEqual([number for number, _ in self.states()], list(range(12, 2, -1)))
        self.assertEqual(len(self.names("configmap")), 10)
        self.assert_exit(self.deployctl("undo", "-e", "lab", "--to", "3", "--yes"), 0)

    def test_refuses_a_commit_that_does_not_contain_what_is_live(self):
        self.use({"web": NO_PODS})
        older = self.head()
        self.use({"web": NO_PODS + "    env: {A: '1'}\n"})
        newer = self.head()
        self.rollout()
        run(["git", "checkout", "-q", older], cwd=self.folder)
        with self.subTest("an older commit"):
            refused = self.rollout(code=7)
            self.assertIn(f"commit {older[:7]} is older than what is live: release 1 of commit {newer[:7]}",
                          refused.stderr)
            self.assertIn("--allow-older", refused.stderr)
            shown = self.deployctl("plan", "-e", "lab")
            self.assert_exit(shown, 0)
            self.assertIn(f"warning: a rollout would be refused: commit {older[:7]} is older", shown.stderr)
        with self.subTest("a commit beside it"):
            self.use({"web": NO_PODS + "    env: {B: '1'}\n"})
            self.assertIn("does not contain what is live", self.rollout(code=7).stderr)
        with self.subTest("a shallow clone that cannot tell"):
            run(["git", "checkout", "-q", "-B", "main", newer], cwd=self.folder)
            for number in range(3):
                self.use({"web": NO_PODS + f"    env: {{C: '{number}'}}\n"})
            clone = self.folder / "clone"
            run(["git", "clone", "-q", "--depth=1", f"file://{self.folder}", str(clone)])
            refused = run([DEPLOYCTL, "rollout", "-e", "lab"], cwd=clone)
            self.assert_exit(refused, 7)
            self.assertIn("this clone is shallow", refused.stderr)
            self.assertIn("git fetch --unshallow", refused.stderr)
            run(["git", "fetch", "-q", "--unshallow"], cwd=clone)
            self.assert_exit(run([DEPLOYCTL, "rollout", "-e", "lab"], cwd=clone), 0)
        with self.subTest("on demand it is done all the same"):
            run(["git", "checkout", "-q", older], cwd=self.folder)
            self.rollout("--allow-older")
            self.assertEqual(self.history()[0]["commit"], older)


class Failures(ReleasesTest):
    project = "e2e-failure"

    def test_goes_back_to_the_release_before_when_told_or_in_ci(self):
        self.use({"web": SERVING + "    env: {GREETING: good}\n    port: 8080\n"})
        self.rollout()
        good = self.deployment("web")["spec"]["template"]
        self.use({"web": BROKEN + "    env: {GREETING: bad}\n    port: 8080\n", "worker": NO_PODS})
        with self.subTest("the exit code stays that of the failure"):
            done = self.rollout("--on-failure", "undo", code=5)
            self.assertIn("going back to release 1", done.stderr)
            self.assertIn("release 1 is live again", done.stderr)
        self.assertEqual(self.states(), [(2, "rolled-back"), (1, "deployed")])
        self.assertIn("went back to release 1", self.history()[0]["outcome"])
        self.assertEqual(self.deployment("web")["spec"]["template"], good)
        self.assertEqual(self.names("service"), ["web"])
        self.assertEqual(self.names("deployment"), ["web"])  # what only the failed release had is gone
        self.assertEqual(len(self.names("configmap")), 1)
        with self.subTest("elsewhere than in CI it stops, and undo goes back"):
            self.rollout(code=5)
            self.assertEqual(self.states()[0], (3, "failed"))
            self.assertNotEqual(self.deployment("web")["spec"]["template"], good)
            self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes"), 0)
            self.assertEqual(self.deployment("web")["spec"]["template"], good)
            self.assertEqual(self.history()[0]["action"], "undo to release 1")
        with self.subTest("in CI it goes back by itself"):
            done = self.rollout(code=5, env={"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ada", "CI_JOB_ID": "77"})
            self.assertEqual(self.states()[0], (5, "rolled-back"), done)
            self.assertEqual(self.history()[0]["actor"], "ada (gitlab job 77)")

    def test_goes_back_when_an_object_is_refused_and_says_with_a_code_of_its_own_when_that_fails_too(self):
        def use(number):
            ports = NO_PODS + "    port: {port}\n    env: {{NUMBER: n{number}}}\n"
            services = {name: ports.format(port=port + number, number=number) for name, port in (("a", 8000), ("b", 9000))}
            services["b"] += "    depends_on: [a]\n"
            self.use(services)

        def ports():
            return [self.get("service", name)["spec"]["ports"][0]["port"] for name in ("a", "b")]

        def deny(service, passed=0):
            """The write of a service's Service, after so many that pass."""
            left = [passed]

            def is_meant(method, path):
                is_write = method == "PATCH" and f"/services/{service}?" in path and "dryRun" not in path
                left[0] -= is_write
                return is_write and left[0] < 0

            proxy.answer_next(1, is_meant, 403, denial, {"Content-Type": "application/json"})

        proxy = ApiProxy()
        self.addCleanup(proxy.close)
        through = {"KUBECONFIG": proxy.kubeconfig, "XDG_STATE_HOME": str(proxy.folder / "state")}  # another cluster
        denial = json.dumps({"kind": "Status", "code": 403, "reason": "Forbidden",
                             "message": "admission webhook \"guard\" denied the request"}).encode()
        use(1)
        self.rollout(env=through)
        self.assertEqual(ports(), [8001, 9001])
        use(2)
        with self.subTest("stop: what was applied stays, and the record says what was not"):
            deny("b")
            refused = self.rollout("--on-failure", "stop", code=7, env=through)
            self.assertIn("service/b", refused.stderr)
            self.assertEqual(ports(), [8002, 9001])
            self.assertEqual(self.states(), [(2, "failed"), (1, "deployed")])
            self.assertRegex(self.history()[0]["outcome"], "service/b.*denied the request")
        with self.subTest("undo: all of the release before is there again"):
            deny("b")
            self.rollout("--on-failure", "undo", code=7, env=through)
            self.assertEqual(ports(), [8001, 9001])
            self.assertEqual(self.states()[0], (3, "rolled-back"))
            self.assertEqual([self.configuration_of(name)["NUMBER"] for name in ("a", "b")], ["n1", "n1"])
        with self.subTest("the way back is refused as well"):
            deny("b")
            deny("a", passed=1)
            done = self.deployctl("--output", "json", "rollout", "-e", "lab", "--on-failure", "undo", env=through)
            self.assert_exit(done, 10)
            (failure,) = [each for each in map(json.loads, done.stdout.splitlines()) if each["type"] == "failure"]
            self.assertEqual((failure["exit_code"], failure["error"]["code"]), (10, "undo_failed"))
            both = "service/b.*denied the request; going back to release 1 failed too: .*service/a.*denied the request"
            self.assertRegex(failure["error"]["message"], both)
            self.assertIn("'deployctl undo' tries it again", failure["error"]["hint"])
            self.assertEqual(self.states()[0], (4, "failed"))
            self.assertRegex(self.history()[0]["outcome"], both)
        with self.subTest("undo tries it again"):
            self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes", env=through), 0)
            self.assertEqual(ports(), [8001, 9001])


class Lock(ReleasesTest):
    project = "e2e-lock"

    def start(self, *arguments):
        process = subprocess.Popen([DEPLOYCTL, "rollout", "-e", "lab", *arguments], cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def lease(self):
        found = kubectl("get", "lease", "deployctl.e2e-lock.lab", "-n", self.namespace, "-o", "json")
        return json.loads(found.stdout)["spec"] if found.code == 0 else {}

    def wait_until_held(self):
        end = time.monotonic() + 30
        while not self.lease().get("holderIdentity"):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)

    def use_slow(self, seconds, number):
        self.use({"web": SERVING.replace("sleep 1;", f"sleep {seconds};") + f"    env: {{NUMBER: 'n{number}'}}\n"})

    def test_lets_one_run_after_the_other(self):
        self.use_slow(6, 1)
        first = self.start()
        self.wait_until_held()
        with self.subTest("who does not want to wait is told who is at work"):
            refused = self.rollout("--lock-timeout", "0s", code=7)
            self.assertRegex(refused.stderr, r"e2e-lock is locked by another run: .* \(rollout\), for ")
            status = self.deployctl("status", "-e", "lab")
            self.assertRegex(status.stdout, r"locked by .* \(rollout\), for ")
            self.assertRegex(status.stdout, r"release 1: pending")
        with self.subTest("who waits goes on afterwards"):
            self.use_slow(1, 2)
            second = self.rollout()
            self.assertRegex(second.stderr, r"waiting for the lock of e2e-lock: .* \(rollout\), for ")
            self.assertEqual(first.wait(60), 0)
            self.assertEqual(self.states(), [(2, "deployed"), (1, "superseded")])
        self.assertEqual(self.lease()["holderIdentity"], "")

    def test_keeps_a_run_that_stood_still_from_writing(self):
        self.use({"web": NO_PODS})
        self.rollout()
        self.use_slow(5, 1)
        stopped = self.start()
        self.wait_until_held()
        os.kill(stopped.pid, signal.SIGSTOP)
        self.use_slow(1, 2)
        other = self.rollout()  # waits until the lock has lapsed
        self.assertIn("took the lock over from", other.stderr)
        self.assertIn("was interrupted", other.stderr)
        before = self.deployment("web")["metadata"]["generation"]
        os.kill(stopped.pid, signal.SIGCONT)
        self.assertEqual(stopped.wait(30), 7, stopped)
        output = stopped.stdout.read().decode()
        self.assertIn("another run has taken the lock of e2e-lock over", output)
        self.assertEqual(self.deployment("web")["metadata"]["generation"], before)
        self.assertEqual(self.states()[:2], [(3, "deployed"), (2, "interrupted")])
        self.assertEqual(self.lease()["holderIdentity"], "")

    def test_restarts_nothing_of_a_release_that_a_killed_run_left_behind(self):
        self.use({"web": NO_PODS})
        self.rollout()
        self.use_slow(20, 1)
        process = self.start()
        end = time.monotonic() + 30
        while len(self.states()) < 2:
            self.assertLess(time.monotonic(), end)
        process.kill()
        process.wait()
        kubectl("patch", "lease", "deployctl.e2e-lock.lab", "-n", self.namespace, "--type", "merge", "-p",
                '{"spec": {"holderIdentity": ""}}')  # as if it had lapsed
        before = self.deployment("web")["spec"]["template"]
        for state_before in ("pending", "interrupted"):
            with self.subTest(f"{state_before} before"):
                refused = self.deployctl("restart", "-e", "lab", "--yes")
                self.assert_exit(refused, 7)
                self.assertIn("release 2 by ", refused.stderr)
                self.assertIn("nothing was restarted", refused.stderr)
                self.assertIn("'deployctl rollout' or 'deployctl undo' puts things right first", refused.stderr)
                self.assertEqual(self.states(), [(2, "interrupted"), (1, "deployed")])
        self.assertEqual(self.deployment("web")["spec"]["template"], before)
        self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes"), 0)
        self.assert_exit(self.deployctl("restart", "-e", "lab", "--yes"), 0)

    def test_shows_what_is_live_and_no_longer_in_the_project(self):
        self.use({"web": NO_PODS})
        self.rollout()
        self.use({"other": NO_PODS})
        status = self.deployctl("status", "-e", "lab")
        self.assertRegex(status.stdout, r"(?m)^web +running ")
        self.assertRegex(status.stdout, r"(?m)^other +not deployed ")
        self.assertIn("web: not in the project manifest; the next rollout of the whole project deletes it", status.stdout)
        self.assertNotIn("other: not in", status.stdout)

    def test_records_ctrl_c_and_gives_the_lock_free(self):
        self.use_slow(20, 1)
        process = self.start()
        self.wait_until_held()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 130)
        self.assertEqual(self.lease()["holderIdentity"], "")
        (release,) = self.history()
        self.assertEqual(release["state"], "interrupted")
        self.assertIn("stopped by the user", release["outcome"])
        self.use_slow(1, 2)
        self.rollout()
        self.assertEqual(self.states(), [(2, "deployed"), (1, "interrupted")])

    def stop_in_mid_rollout(self, *arguments):
        process = self.start("--output", "plain", *arguments)
        said = ""
        while "rollout:web" not in said:
            line = process.stdout.readline().decode()
            self.assertTrue(line, said)
            said += line
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 130, said)
        self.assertEqual(self.lease()["holderIdentity"], "")
        return said + process.stdout.read().decode()

    def test_does_on_ctrl_c_as_it_was_told(self):
        self.use_slow(0, 1)
        self.rollout()
        before = self.deployment("web")["spec"]["template"]
        self.use_slow(60, 2)
        with self.subTest("leave: the cluster goes on, and it is said how to go on"):
            said = self.stop_in_mid_rollout("--on-interrupt", "leave")
            self.assertRegex(said, r"release 2 is left as it is \(\d+ of \d+ steps done.*\), and the cluster goes on")
            self.assertIn("the same command again goes on, 'deployctl undo' goes back to release 1", said)
            self.assertNotEqual(self.deployment("web")["spec"]["template"], before)
            self.assertEqual(self.states(), [(2, "interrupted"), (1, "deployed")])
        with self.subTest("undo: the release before is live again when it ends"):
            said = self.stop_in_mid_rollout("--on-interrupt", "undo")
            self.assertRegex(said, r"stopped by the user: \d+ of \d+ steps done.*; going back to release 1")
            self.assertIn("release 1 is live again", said)
            live = self.deployment("web")
            self.assertEqual(live["spec"]["template"], before)
            self.assertEqual((live["status"]["updatedReplicas"], live["status"]["availableReplicas"]), (1, 1))
            self.assertEqual(self.states(), [(3, "rolled-back"), (2, "interrupted"), (1, "deployed")])
            self.assertRegex(self.history()[0]["outcome"], r"^stopped by the user: .*; went back to release 1$")
        with self.subTest("the next run is like any other"):
            self.use_slow(0, 3)
            self.assertNotIn("interrupted", self.rollout().stderr)
            self.assertEqual(self.states()[0], (4, "deployed"))


if __name__ == "__main__":
    unittest.main()
