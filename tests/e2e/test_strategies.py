"""Recreate and blue-green on a real cluster: what runs when, and what requests see of it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

from harness import Load, ProjectTest, get_json, kubectl, registry, run, run_side_by_side, wait_for_answer

REST = """  rest:
    image: busybox:1.36
    pin: tag
    replicas: 0
    port: 8081
"""


def serving(text):
    """A web server that is there within a second; with an answer of its own, no image has to be built."""
    answer = json.dumps({"text": text})
    return ["sh", "-c", f"mkdir /tmp/www && echo '{answer}' > /tmp/www/index.json && echo serving {text} && "
                        "exec httpd -f -p 8080 -h /tmp/www"]


# The first process of a container is asked to end only when it listens for that: the others take half a minute.
ENDING_AT_ONCE = "trap exit TERM; mkdir /tmp/www; echo '{\"text\": \"TEXT\"}' > /tmp/www/index.json; httpd -f -p 8080 -h /tmp/www & wait"


class Strategies(ProjectTest):
    namespace_prefix = "e2e-strategies"

    def use(self, text, strategy, command=None):
        self.write("deployctl.yaml", f"""project: e2e-strategies
services:
{REST}  web:
    image: busybox:1.36
    pin: tag
    command: {json.dumps(command or serving(text))}
    port: 8080
    replicas: 2
    health: /index.json
    service: {{type: NodePort}}
    strategy: {strategy}
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit(text)

    def rollout(self, code=0):
        done = self.deployctl("rollout", "-e", "lab", "--yes", "--on-failure", "stop")
        self.assert_exit(done, code)
        return done

    def run_well(self, *command):
        done = self.deployctl(*command, "-e", "lab")
        self.assert_exit(done, 0)
        return done

    def load(self):
        wait_for_answer(self.node_port(), "/index.json")
        return Load(self.node_port(), "/index.json")

    def assert_answer(self, text):
        """The service comes to answer so: nodes follow the endpoints a moment later."""
        end = time.monotonic() + 30
        while (answer := get_json(self.node_port(), "/index.json")["text"]) != text:
            self.assertLess(time.monotonic(), end, answer)
            time.sleep(0.2)

    def side(self):
        return self.get("service", "web")["spec"]["selector"]["app.kubernetes.io/instance"]

    def replicas(self, deployment):
        return self.get("deployment", deployment)["spec"]["replicas"]

    def releases(self):
        """State by number."""
        done = self.run_well("history", "--output", "json")
        return {release["number"]: release for release in json.loads(done.stdout)["releases"]}

    def test_recreate_lets_the_old_pods_go_first(self):
        for text in ("first", "second"):
            self.use(text, "{type: recreate, deadline: 180s}", ["sh", "-c", ENDING_AT_ONCE.replace("TEXT", text)])
            done = self.rollout()
        self.assertIn("rollout:web: done", done.stderr)
        self.assert_answer("second")
        pods = json.loads(kubectl("get", "pods", "-n", self.namespace, "-o", "json").stdout)["items"]
        self.assertEqual(len([pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]), 2)

    def use_both(self, text, image="'busybox:1.36', pin: tag", more=""):
        def service(name, strategy):
            return (f"  {name}: {{image: {image}, command: {json.dumps(serving(text))}, port: 8080, "
                    f"health: /index.json, strategy: {strategy}{more}}}\n")
        self.write("deployctl.yaml", "project: e2e-strategies\nservices:\n"
                   + service("walked", "{type: canary, steps: [{weight: 50}, {pause: manual}], deadline: 120s}")
                   + service("switched", "{type: blue-green, promote: manual, keep: 0s, deadline: 120s}")
                   + f"environments:\n  lab: {{namespace: {self.namespace}}}\n")
        self.commit(text)

    def test_what_is_promoted_of_a_release_that_is_open_is_no_drift(self):
        for tag in ("1", "2"):
            image = f"{registry()}/e2e-strategies/box:{tag}"
            for command in (("tag", "busybox:1.36", image), ("push", "-q", image)):
                done = run(["docker", *command])
                self.assertEqual(done.code, 0, done)
            self.use_both("the same", f"'{image}'", ", tasks: {make: {command: [echo, made]}, "
                                                    "warm-up: {command: [echo, warm], when: after-rollout}}")
            done = self.rollout()
        self.assertIn("task:switched/make: make: made", done.stderr)
        self.assertNotIn("warm-up: warm", done.stderr)
        done = self.run_well("promote", "switched", "--yes")
        self.assertRegex(done.stderr, r"task:switched/make: unchanged: job/switched-make-\w+ has done it")
        self.assertIn("task:switched/warm-up: warm-up: warm", done.stderr, "it comes after the switch")
        self.assertNotIn("task:walked/warm-up: running", done.stderr)
        self.assertIsNotNone(self.get("deployment", "walked-canary"), "it is open still")
        diff = self.deployctl("diff", "-e", "lab")
        self.assertIn("not told is what is open (canary of walked", diff.stderr)
        self.assertNotIn("switched", diff.stdout)
        done = kubectl("set", "env", "deployment/switched-green", "A=b", "-n", self.namespace)
        self.assertEqual(done.code, 0, done)
        diff = self.deployctl("diff", "-e", "lab")
        self.assertIn("deployment/switched-green", diff.stdout, diff)
        with self.subTest("tasks of another project manifest are left to a rollout"):
            self.use_both("another", f"'{image}'", ", tasks: {warm-up: {command: [echo, hot], when: after-rollout}}")
            done = self.run_well("promote", "walked", "--yes")
            self.assertRegex(done.stderr, r"walked has tasks, and the project manifest here does not make of it what release \d+ has")
            self.assertNotIn("warm-up: hot", done.stderr)

    def command_of(self, deployment):
        return json.dumps(self.get("deployment", deployment)["spec"]["template"]["spec"]["containers"][0]["args"])

    def test_what_is_taken_back_of_a_release_is_no_part_of_it_any_more(self):
        self.use_both("first")
        self.rollout()
        for taken_back, promoted in (("walked", "switched"), ("switched", "walked")):
            with self.subTest(f"{taken_back} is taken back, {promoted} promoted"):
                text = f"without-{taken_back}"
                self.use_both(text)
                self.rollout()
                self.run_well("abort", taken_back)
                self.assertEqual(self.releases()[max(self.releases())]["state"], "paused", promoted + " still waits")
                self.run_well("promote", promoted, "--yes")
                self.assertIsNone(self.get("deployment", "walked-canary"))
                newest = self.releases()[max(self.releases())]
                self.assertEqual(newest["state"], "deployed")
                live = {"walked": "walked"}
                side = self.get("service", "switched")["spec"]["selector"]["app.kubernetes.io/instance"]
                live["switched"] = "switched-green" if side.endswith("-green") else "switched"
                self.assertIn(text, self.command_of(live[promoted]))
                self.assertNotIn(text, self.command_of(live[taken_back]))
        self.run_well("undo", "--yes")
        self.assertIn("first", self.command_of("walked"))

    def test_what_was_promoted_stays_when_the_rest_is_taken_back(self):
        self.use_both("first")
        self.rollout()
        self.use_both("second")
        self.rollout()
        waiting = max(self.releases())
        self.run_well("promote", "walked", "--yes")
        self.assertEqual(self.releases()[waiting]["state"], "continued")
        self.run_well("abort", "switched")
        newest = self.releases()[max(self.releases())]
        self.assertEqual((newest["state"], newest["action"]), ("deployed", f"abort of release {waiting + 1}"))
        done = self.deployctl("rollout", "switched", "-e", "lab", "--yes")
        self.assert_exit(done, 0)
        self.assertNotIn("brought back", done.stderr)
        self.assertIn("second", self.command_of("walked"), "a run about another service leaves it alone")
        self.run_well("undo", "--yes")
        self.assertIn("second", self.command_of("walked"), "undo knows what was live")

    def test_promote_and_abort_at_once(self):
        self.use_both("first")
        self.rollout()
        self.use_both("second")
        self.rollout()
        with ThreadPoolExecutor() as both:
            aborting = both.submit(self.deployctl, "abort", "switched", "-e", "lab")
            promoting = both.submit(self.deployctl, "promote", "walked", "-e", "lab", "--yes")
            self.assert_exit(aborting.result(), 0)
            self.assert_exit(promoting.result(), 0)
        self.assertIn("second", self.command_of("walked"))
        self.assertEqual(self.replicas("switched-green"), 0, "what was taken back stays so")
        self.assertEqual(self.releases()[max(self.releases())]["state"], "deployed")

    def test_a_canary_that_somebody_deleted_is_not_promoted(self):
        self.use_both("first")
        self.rollout()
        self.use_both("second")
        self.rollout()
        before = self.releases()
        with self.subTest("while it is there, its logs stand beside those of the stable pods"):
            logs = self.run_well("logs", "walked")
            self.assertRegex(logs.stdout, r"(?m)^walked-canary-\S+ \| serving second$")
            self.assertRegex(logs.stdout, r"(?m)^walked-(?!canary)\S+ \| serving first$")
        kubectl("delete", "deployment", "walked-canary", "-n", self.namespace, "--wait=false")
        done = self.deployctl("promote", "walked", "-e", "lab", "--yes")
        self.assert_exit(done, 7)
        self.assertIn("deployment/walked-canary is gone", done.stderr)
        self.assertEqual(self.releases(), before, "what is refused writes nothing")
        self.run_well("abort", "walked")
        self.assertIn("first", self.command_of("walked"))

    def configuration_of(self, deployment):
        container = self.get("deployment", deployment)["spec"]["template"]["spec"]["containers"][0]
        return next(each["configMapRef"]["name"] for each in container["envFrom"] if "configMapRef" in each)

    def test_a_side_that_is_kept_keeps_its_configuration(self):
        def use(value, more=""):
            self.write("deployctl.yaml", f"""project: e2e-strategies
services:
  web:
    image: busybox:1.36
    pin: tag
    command: {json.dumps(serving("web"))}
    port: 8080
    health: /index.json
    env: {{VALUE: "{value}"}}
    strategy: {{type: blue-green, keep: 10m, deadline: 120s}}
{more}environments:
  lab: {{namespace: {self.namespace}}}
""")
            self.commit(value)
        nowhere = f"{registry()}/e2e-strategies/nowhere:1"
        use("first")
        self.rollout()
        use("second", f"  late: {{image: '{nowhere}', pin: tag, depends_on: [web], strategy: {{deadline: 60s}}}}\n")
        done = self.deployctl("rollout", "-e", "lab", "--yes", "--on-failure", "undo")
        self.assert_exit(done, 5)
        self.assertEqual(self.side(), "e2e-strategies", "it has gone back")
        self.assertEqual(self.replicas("web-green"), 1, "the side it came from is kept")
        kept = self.configuration_of("web-green")
        self.assertIsNotNone(self.get("configmap", kept), "and a pod of it may start anew")
        use("third")
        self.assertIn(f"configmap/{kept} pruned", self.rollout().stderr, "now nobody needs it")

    def use_two_sides(self, version, port=8080, replicas=0, promote="auto"):
        self.write("deployctl.yaml", f"""project: e2e-strategies
services:
  web:
    image: busybox:1.36
    pin: tag
    port: {port}
    replicas: {replicas}
    command: {json.dumps(["sh", "-c", ENDING_AT_ONCE.replace("TEXT", "web")])}
    env: {{VERSION: "{version}"}}
    strategy: {{type: blue-green, promote: {promote}, keep: 10m, deadline: 60s}}
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit(f"version {version}")

    def test_a_side_without_pods_is_switched_to(self):
        def use(version, replicas):
            self.use_two_sides(version, replicas=replicas)

        use(1, 0)
        self.rollout()
        use(2, 0)
        self.assertIn("switch:web: done: from blue to green", self.rollout().stderr)
        with self.subTest("from one that has some"):
            use(3, 1)
            self.rollout()
            use(4, 0)
            self.assertIn("switch:web: done: from blue to green", self.rollout().stderr)
            self.assertEqual(self.side(), "e2e-strategies-green")
        with self.subTest("and back to what has none"):
            self.assertIn("switch:web: done: from green to blue", self.run_well("undo", "--to", "1", "--yes").stderr)
        self.assertEqual({each["state"] for each in self.releases().values()}, {"deployed", "superseded"})

    def test_what_a_release_wants_of_the_address_comes_with_the_switch(self):
        def use(port, version):
            self.use_two_sides(version, port=port, promote="manual")

        def ports():
            return [port["port"] for port in self.get("service", "web")["spec"]["ports"]]

        use(8080, 1)
        self.rollout()
        self.assertEqual(ports(), [8080])
        use(9090, 2)
        self.rollout()
        self.assertEqual(ports(), [8080], "it waits")
        self.run_well("abort", "web")
        self.assertEqual(ports(), [8080], "it was taken back")
        self.rollout()
        self.run_well("promote", "web", "--yes")
        self.assertEqual(ports(), [9090])
        self.assertIn("apply:service/web: service/web unchanged", self.rollout().stderr)

    def test_promote_leaves_what_the_release_was_not_about_as_it_is(self):
        def use(walked, more=""):
            self.write("deployctl.yaml", f"""project: e2e-strategies
services:
  web:
    image: busybox:1.36
    pin: tag
    port: 8080
    command: {json.dumps(["sh", "-c", ENDING_AT_ONCE.replace("TEXT", walked)])}
    strategy: {{type: blue-green, promote: manual, keep: 0s, deadline: 60s}}
  db: {{image: 'busybox:1.36', pin: tag, replicas: 0, env: {{VERSION: "{walked}"}}{more}}}
environments:
  lab: {{namespace: {self.namespace}}}
""")
            self.commit(walked)

        use("first")
        self.rollout()
        use("second", ", tasks: {check: {command: ['false'], when: after-rollout}}")
        failed = self.deployctl("rollout", "db", "-e", "lab", "--yes", "--on-failure", "stop")
        self.assert_exit(failed, 5)
        left = self.get("deployment", "db")["spec"]
        use("third")
        self.assertIn("what it did to db stays as it is", self.run_well("rollout", "web", "--yes").stderr)
        done = self.run_well("promote", "--yes")
        self.assertIn("switch:web: done", done.stderr)
        self.assertNotIn("deployment/db", done.stderr)
        self.assertEqual(self.get("deployment", "db")["spec"], left)
        self.assertIsNotNone(self.get("configmap", self.configuration_of("db")), "it lives on that still")

    def note_stage(self, number, stage):
        """As a run that was killed has left it."""
        secret = self.get("secret", f"deployctl.e2e-strategies.lab.v{number}")
        key, text = next(each for each in secret["metadata"]["annotations"].items() if '"stage":"holding"' in each[1])
        done = kubectl("annotate", "secret", secret["metadata"]["name"], "-n", self.namespace, "--overwrite",
                       f"{key}=" + text.replace('"stage":"holding"', f'"stage":"{stage}"'))
        self.assertEqual(done.code, 0, done)

    def test_the_live_side_keeps_the_pods_that_its_autoscaler_has_given_it(self):
        def use(value):
            self.write("deployctl.yaml", f"""project: e2e-strategies
services:
  web:
    image: busybox:1.36
    pin: tag
    command: {json.dumps(["sh", "-c", ENDING_AT_ONCE.replace("TEXT", value)])}
    port: 8080
    resources: {{cpu: 10m}}
    scale: {{min: 2, max: 3}}
    strategy: {{type: blue-green, keep: 0s, deadline: 120s}}
environments:
  lab: {{namespace: {self.namespace}}}
""")
            self.commit(value)

        def assert_live(live, other):
            self.assertEqual(self.replicas(other), 0)
            self.assertGreater(self.replicas(live), 0)

        use("first")
        self.rollout()
        use("second")
        self.rollout()
        assert_live("web-green", "web")
        self.assertNotIn("0 of 0", self.rollout().stderr)
        assert_live("web-green", "web")
        with self.subTest("and is brought back where it has lost them all"):
            kubectl("patch", "deployment", "web-green", "-n", self.namespace, "--type=merge",
                    "--field-manager=deployctl", "-p", '{"spec": {"replicas": 0}}')
            self.rollout()
            assert_live("web-green", "web")
        use("third")
        self.rollout()
        assert_live("web", "web-green")

    def test_a_release_that_waits_is_gone_on_with(self):
        self.use_both("first")
        self.rollout()
        self.use_both("second")
        self.run_well("plan", "--out", "plan.json")
        planned = ("rollout", "--plan", "plan.json", "--yes", "--on-failure", "stop")
        self.assertIn("stays open", self.run_well(*planned).stderr)
        waiting = self.releases()
        self.assertEqual(waiting[max(waiting)]["state"], "paused")
        with self.subTest("the plan can be carried out again, and what the canary has changed is no difference"):
            done = self.run_well(*planned)
            self.assertRegex(done.stderr, f"release {max(waiting)} goes on: canary of walked: paused at 50 %")
            self.assertRegex(done.stderr, f"release {max(waiting)} stays open")
        with self.subTest("the same rollout makes no further release"):
            self.assertRegex(self.rollout().stderr, f"release {max(waiting)} goes on")
            self.assertEqual(self.releases(), waiting)
        with self.subTest("plan tells of it"):
            shown = self.run_well("plan")
            self.assertIn(f"release {max(waiting)} is open (canary of walked: paused at 50 %", shown.stderr)
            self.assertIn("one of anything else takes it back first", shown.stderr)
            self.assertNotIn("spec.selector", shown.stdout)
            self.assertIn("a rollout that is not about switched is refused", self.run_well("plan", "walked").stderr)
        with self.subTest("what somebody else has changed meanwhile is a difference"):
            elsewhere = [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9}]
            done = kubectl("patch", "service", "walked", "-n", self.namespace, "--type=json", "--field-manager=ada", "-p",
                           json.dumps(elsewhere))
            self.assertEqual(done.code, 0, done)
            refused = self.deployctl(*planned, "-e", "lab")
            self.assert_exit(refused, 7)
            self.assertIn("service/walked: spec.ports", refused.stderr)
            self.assertEqual(self.releases(), waiting)
        with self.subTest("status offers what can be done"):
            self.assertIn("'deployctl promote walked' goes on, 'deployctl abort walked' takes it back",
                          self.run_well("status").stdout)
            self.note_stage(max(waiting), "aborting")
            shown = self.run_well("status").stdout
            self.assertIn("; 'deployctl abort walked' takes it back", shown)
            self.assertNotIn("promote walked", shown)

    def test_blue_green(self):
        strategy = "{type: blue-green, keep: 10m, deadline: 180s}"
        with self.subTest("a service that was rolling is the blue side"):
            self.use("first", "{type: rolling, deadline: 180s}")
            self.rollout()
            self.assert_answer("first")

        with self.subTest("the new version stands beside it and gets the requests in one switch, none of which fails"):
            self.use("second", strategy)
            with self.load() as load:
                done = self.rollout()
            self.assertIn("switch:web: done: from blue to green", done.stderr)
            self.assertGreater(load.total, 100)
            self.assertEqual(load.failures, [])
            self.assert_answer("second")
            self.assertEqual(self.side(), "e2e-strategies-green")
            self.assertEqual(self.get("deployment", "web")["status"]["availableReplicas"], 2, "it is kept to go back to")
            self.assertEqual(self.get("poddisruptionbudget", "web")["spec"]["selector"]["matchLabels"]
                             ["app.kubernetes.io/instance"], "e2e-strategies-green")
            self.assertIn("switch:web: unchanged: green is live", self.rollout().stderr, "the same again")

        with self.subTest("undo between two blue-green releases is one switch to what is kept"):
            self.use("third", strategy)
            self.rollout()
            self.assertEqual(self.side(), "e2e-strategies")
            with self.load() as load:
                done = self.run_well("undo", "--yes")
            self.assertIn("from blue to green", done.stderr)
            self.assertEqual(load.failures, [])
            self.assert_answer("second")

        with self.subTest("a new side that fails never gets a request"):
            self.use("broken", strategy, ["false"])
            with self.load() as load:
                done = self.rollout(5)
            self.assertIn("switch:web: skipped", done.stderr)
            self.assertEqual(load.failures, [])
            self.assert_answer("second")
            self.assertEqual(self.side(), "e2e-strategies-green")

        live = max(number for number, each in self.releases().items() if each["state"] == "deployed")
        with self.subTest("promote: manual: the release waits, and what waits is not deployed"):
            self.use("looked-at", "{type: blue-green, promote: manual, keep: 0s, deadline: 180s}")
            done = self.rollout()
            self.assertRegex(done.stderr, "(?m)^rollout:rest: (done|unchanged)", "it does not wait with web")
            self.assertIn("'deployctl promote web' switches to it", done.stderr)
            self.assert_answer("second")
            waiting = max(self.releases())
            self.assertEqual([self.releases()[number]["state"] for number in (live, waiting)], ["deployed", "paused"])
            self.assertIn(f"release {waiting}: paused", self.run_well("status").stdout)

        with self.subTest("abort lets it go and writes it down"):
            self.run_well("abort", "web")
            self.assertEqual(self.replicas("web"), 0)
            ended = self.releases()[waiting]
            self.assertEqual((ended["state"], ended["outcome"][:10]), ("failed", "aborted by"))
            self.assertEqual(self.deployctl("promote", "web", "-e", "lab", "--yes").code, 1, "nothing waits any more")
            self.assert_answer("second")

        with self.subTest("promote switches, under the lock and recorded"):
            self.rollout()
            with self.load() as load:
                self.run_well("promote", "web", "--yes")
            self.assertEqual(load.failures, [])
            self.assert_answer("looked-at")
            self.assertEqual(self.replicas("web-green"), 0, "keep: 0s")
            newest = self.releases()[max(self.releases())]
            self.assertEqual((newest["state"], newest["action"]), ("deployed", f"promote release {waiting + 1}"))

        with self.subTest("undo to a release that was rolling: blue is what stays, and no request fails"):
            self.use("fourth", strategy)
            self.rollout()
            self.assertEqual(self.side(), "e2e-strategies-green")
            with self.load() as load:
                self.run_well("undo", "--to", "1", "--yes")
            self.assertEqual(load.failures, [])
            self.assert_answer("first")
            self.assertEqual(self.side(), "e2e-strategies")
            self.assertIsNone(self.get("deployment", "web-green"))

        with self.subTest("a service that leaves the project leaves with both sides"):
            self.use("fifth", strategy)
            self.rollout()
            self.assertIsNotNone(self.get("deployment", "web-green"))
            self.write("deployctl.yaml", f"project: e2e-strategies\nservices:\n{REST}"
                                         f"environments:\n  lab: {{namespace: {self.namespace}}}\n")
            self.commit("without web")
            self.rollout()
            for kind, name in (("deployment", "web"), ("deployment", "web-green"), ("service", "web")):
                self.assertIsNone(self.get(kind, name))


if __name__ == "__main__":
    run_side_by_side(Strategies, alone=["test_blue_green"])
