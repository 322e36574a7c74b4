"""What a plan shows, a saved plan carried out exactly or not at all, and what differs between cluster and manifest."""

import json
import re
import unittest

from harness import SOURCE, ProjectTest, kubectl, registry, run
from test_preflight import node_architecture, push_image

PROJECT = "e2e-plans"


class PlansTest(ProjectTest):
    namespace = PROJECT

    def setUp(self):
        super().setUp()
        self.image = push_image(f"{PROJECT}/web", "1", node_architecture())

    def use(self, service="", extra="", environment=""):
        # No replicas: nothing has to run for what is looked at here.
        self.write("deployctl.yaml", f"""project: {PROJECT}
services:
  web:
    image: {self.image}
    port: 8080
    replicas: 0
    env: {{LEVEL: info}}
{service}{extra}environments:
  lab: {{namespace: {self.namespace}{environment}}}
""")

    def rollout(self, *arguments, code=0, env=None):
        done = self.deployctl("rollout", "-e", "lab", "--yes", *arguments, env=env)
        self.assert_exit(done, code)
        return done

    def plan(self, *arguments, env=None):
        done = self.deployctl("plan", "-e", "lab", *arguments, env=env)
        self.assert_exit(done, 0)
        return done

    def save(self, env=None):
        """Saves a plan and gives its digest."""
        done = self.plan("--out", "plan.json", env=env)
        digest = json.loads((self.folder / "plan.json").read_text(encoding="utf-8"))["digest"]
        self.assertIn(digest, done.stderr)
        return digest

    def diff(self, code):
        done = self.deployctl("diff", "-e", "lab", "--output", "json")
        self.assert_exit(done, code)
        return [(each["kind"], each["object"], each["field"], each["manager"])
                for each in json.loads(done.stdout)["differences"]]

    def patch(self, what, patch, *more):
        done = kubectl("patch", what, "-n", self.namespace, "--type=merge", "-p", json.dumps(patch), *more)
        self.assertEqual(done.code, 0, done)

    def live(self, path, what="deployment/web"):
        return kubectl("get", what, "-n", self.namespace, "-o", f"jsonpath={path}").stdout


class Plans(PlansTest):
    def test_show_every_field_and_why(self):
        self.use()
        self.assertRegex(self.plan().stdout, r"create +apply deployment/web +\(new\)")
        self.rollout()
        self.assertIn("0 to create, 0 to update", self.plan().stdout)
        self.use(service="    strategy: {deadline: 77s}\n    resources: {memory: 32Mi}\n")
        shown = self.plan().stdout
        self.assertRegex(shown, r"update +apply deployment/web +\(replaces the pods: limits, requests")
        self.assertIn("+ spec.progressDeadlineSeconds: 77", shown)
        self.assertIn("- spec.progressDeadlineSeconds: 300", shown)
        machine = json.loads(self.plan("--output", "json").stdout)
        step = next(each for each in machine["steps"] if each["id"] == "apply:deployment/web")
        self.assertTrue(step["replaces_pods"])
        with self.subTest("what somebody else set is named"):
            self.use()
            self.patch("deployment/web", {"spec": {"progressDeadlineSeconds": 99}}, "--field-manager=ada")
            shown = self.plan().stdout
            self.assertRegex(shown, r"update +apply deployment/web +\(ada has changed it: takes --take-over\)")
            self.assertRegex(shown, r"- spec\.progressDeadlineSeconds: 99  \(by ada at 20")
            refused = self.rollout(code=1)
            self.assertIn("spec.progressDeadlineSeconds belongs to ada (it has 99, we want 300)", refused.stderr)
            self.rollout("--take-over")
            self.assertEqual(self.live("{.spec.progressDeadlineSeconds}"), "300")

    def test_about_some_services_show_what_these_leave_behind(self):
        other = f"  other:\n    image: {self.image}\n    replicas: 0\n    port: 9090\n"
        self.use(extra=other)
        self.rollout()
        self.use(extra=other)
        path = self.folder / "deployctl.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("    port: 8080\n", ""), encoding="utf-8")
        shown = self.plan("web").stdout
        self.assertIn("delete service/web", shown)
        self.assertIn("1 to delete", shown)
        self.assertNotIn("other", shown)
        self.assertIn("service/web pruned", self.rollout("web").stderr)
        self.assertIn("0 to create, 0 to update", self.plan("web").stdout)
        self.assertEqual(self.live("{.metadata.name}", "service/other"), "other")

    def test_that_are_saved_are_carried_out_exactly(self):
        self.use()
        self.rollout()
        self.use(service="    strategy: {deadline: 77s}\n")
        digest = self.save()
        with self.subTest("unrelated drift does not stand in the way"):
            self.patch("deployment/web", {"metadata": {"annotations": {"team": "blue"}}, "spec": {"minReadySeconds": 3}})
        with self.subTest("another digest is not this plan"):
            self.rollout("--plan", "plan.json", "--approve", "sha256:" + "0" * 64, code=7)
        with self.subTest("which services it is about is not asked again"):
            done = self.rollout("web", "--plan", "plan.json", "--approve", digest, code=2)
            self.assertIn("a saved plan says itself which services it is about", done.stderr)
            self.assertEqual(self.live("{.spec.progressDeadlineSeconds}"), "300")
        with self.subTest("the manifest of today does not matter as long as the plan is the same"):
            self.rollout("--plan", "plan.json", "--approve", digest)
            self.assertEqual(self.live("{.spec.progressDeadlineSeconds}"), "77")
            self.assertEqual(self.live("{.spec.minReadySeconds}"), "3")
        with self.subTest("it can be carried out again"):
            self.rollout("--plan", "plan.json", "--approve", digest)

    def test_that_are_saved_refuse_what_has_changed_since(self):
        self.use()
        self.rollout()
        self.use(service="    strategy: {deadline: 77s}\n")
        self.save()
        with self.subTest("a field it sets"):
            self.patch("deployment/web", {"spec": {"progressDeadlineSeconds": 99}}, "--field-manager=ada")
            before = self.live("{.metadata.generation}")
            done = self.rollout("--plan", "plan.json", code=7)
            self.assertRegex(done.stderr, r"spec\.progressDeadlineSeconds was 300, is 99 now \(by ada at 20")
            self.assertEqual(self.live("{.metadata.generation}"), before)
            self.patch("deployment/web", {"spec": {"progressDeadlineSeconds": 300}}, "--field-manager=ada")
        with self.subTest("a field it sets and did not have to change"):
            self.patch("service/web", {"spec": {"selector": {"app.kubernetes.io/name": "other"}}}, "--field-manager=ada")
            done = self.rollout("--plan", "plan.json", code=7)
            self.assertIn("service/web: spec.selector", done.stderr)
            self.patch("service/web", {"spec": {"selector": {"app.kubernetes.io/name": "web"}}}, "--field-manager=ada")
        with self.subTest("the project manifest"):
            self.use(service="    strategy: {deadline: 88s}\n")
            done = self.rollout("--plan", "plan.json", code=7)
            self.assertIn("this is no longer the plan that was saved: deployment/web: spec.progressDeadlineSeconds is 77",
                          done.stderr)
        with self.subTest("the file itself"):
            path = self.folder / "plan.json"
            path.write_text(path.read_text(encoding="utf-8").replace("77", "78"), encoding="utf-8")
            self.rollout("--plan", "plan.json", code=3)

    def test_need_approval_where_the_environment_says_so(self):
        self.use(environment=", approval: manual")
        digest = self.save()
        refused = self.deployctl("rollout", "-e", "lab", "--plan", "plan.json")
        self.assert_exit(refused, 7)
        self.assertIn("needs approval", refused.stderr)
        self.assertNotEqual(kubectl("get", "namespace", self.namespace).code, 0)
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--plan", "plan.json", "--approve", digest), 0)
        undo = self.deployctl("undo", "-e", "lab", "--to", "1")
        self.assert_exit(undo, 7)
        self.assertRegex(undo.stderr, r"undo to release 1 of e2e-plans in lab .* needs approval")

    def test_hold_no_secret(self):
        self.use(service="    secrets: {TOKEN: \"env:E2E_TOKEN\"}\n")
        env = {"E2E_TOKEN": "s3cr3t-canary"}
        digest = self.save(env=env)
        text = (self.folder / "plan.json").read_text(encoding="utf-8")
        self.assertNotIn("s3cr3t-canary", text)
        self.assertNotIn("czNjcjN0LWNhbmFyeQ", text)
        with self.subTest("another value is another plan"):
            done = self.rollout("--plan", "plan.json", "--approve", digest, code=7, env={"E2E_TOKEN": "other"})
            self.assertIn("this is no longer the plan that was saved", done.stderr)
        self.rollout("--plan", "plan.json", "--approve", digest, env=env)

    def test_are_saved_only_when_their_images_are_there(self):
        self.write("Dockerfile", "FROM scratch\n")
        self.write("deployctl.yaml", f"""project: {PROJECT}
registry: {registry()}/{PROJECT}
services: {{gone: {{stack: dockerfile, port: 8080}}}}
environments: {{lab: {{namespace: {self.namespace}}}}}
""")
        self.plan("--tag", "nowhere")
        done = self.deployctl("plan", "-e", "lab", "--tag", "nowhere", "--out", "plan.json")
        self.assert_exit(done, 5)
        self.assertFalse((self.folder / "plan.json").exists())


class Removals(PlansTest):
    """What a release no longer says goes, with the defaults that the server had put beside it."""

    PROBES = "    health: {liveness: /health, readiness: /ready}\n"

    def use(self, service="", port="    port: 8080\n"):
        super().use(service)
        path = self.folder / "deployctl.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("    port: 8080\n", port), encoding="utf-8")

    def container(self):
        return json.loads(self.live("{.spec.template.spec.containers[0]}"))

    def revisions(self):
        listed = kubectl("get", "replicasets", "-n", self.namespace, "-o", "name").stdout
        return len(listed.split())

    def undo(self):
        self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes"), 0)

    def our_updates(self):
        live = json.loads(kubectl("get", "deployment/web", "-n", self.namespace, "-o", "json",
                                  "--show-managed-fields").stdout)
        return [each for each in live["metadata"]["managedFields"]
                if (each["manager"], each["operation"]) == ("deployctl", "Update")]

    def test_of_probes_and_ports_back_and_forth(self):
        self.use(self.PROBES)
        self.rollout()
        first = self.container()
        self.assertIn("livenessProbe", first)
        self.patch("deployment/web", {"metadata": {"annotations": {"team": "blue"}}, "spec": {"minReadySeconds": 3}},
                   "--field-manager=ada")
        self.use("    health: {readiness: {command: [\"true\"]}}\n")
        with self.subTest("the plan shows it and changes nothing"):
            before = self.live("{.metadata.resourceVersion}")
            shown = self.plan().stdout
            self.assertRegex(shown, r"update +apply deployment/web +\(replaces the pods: livenessProbe")
            self.assertIn("readinessProbe.httpGet", shown)
            self.diff(4)
            self.assertEqual(self.live("{.metadata.resourceVersion}"), before)
        with self.subTest("another probe and one less, in one change of the pods"):
            generation = int(self.live("{.metadata.generation}"))
            self.rollout()
            self.assertEqual(int(self.live("{.metadata.generation}")), generation + 1)
            self.assertEqual(self.container()["readinessProbe"]["exec"], {"command": ["true"]})
            self.assertNotIn("httpGet", self.container()["readinessProbe"])
            self.assertNotIn("livenessProbe", self.container())
            self.assertEqual((self.live("{.spec.minReadySeconds}"), self.live("{.metadata.annotations.team}")), ("3", "blue"))
            self.assertEqual((self.our_updates(), self.revisions()), ([], 2))
            self.assertIn("0 to create, 0 to update", self.plan().stdout)
        with self.subTest("a port, and the Service with it"):
            # Without a port it is ours to say.
            self.patch("deployment/web", {"spec": {"minReadySeconds": None}}, "--field-manager=ada")
            self.use(port="")
            self.rollout()
            self.assertNotIn("ports", self.container())
            self.assertNotIn("readinessProbe", self.container())
            self.assertNotEqual(kubectl("get", "service", "web", "-n", self.namespace).code, 0)
        with self.subTest("undo goes back and forth"):
            self.assert_exit(self.deployctl("undo", "-e", "lab", "--to", "1", "--yes"), 0)
            self.assertEqual(self.container(), first)
            self.undo()
            self.assertNotIn("ports", self.container())
            self.undo()
            self.assertEqual(self.container(), first)
            self.assertEqual(self.revisions(), 3)
        with self.subTest("where somebody else has set a part of it, that is said"):
            self.patch("deployment/web", {"spec": {"template": {"spec": {"containers": [
                {"name": "web", "livenessProbe": {"failureThreshold": 7}}]}}}}, "--type=strategic", "--field-manager=ada")
            refused = self.deployctl("undo", "-e", "lab", "--yes")
            self.assert_exit(refused, 3)
            self.assertIn("livenessProbe", refused.stderr)
            self.assertIn("ada", refused.stderr)


class Differences(PlansTest):
    def test_are_told_field_by_field_with_who_made_them(self):
        self.use()
        with self.subTest("nothing is there yet"):
            self.assertIn(("missing", "deployment/web", "", ""), self.diff(4))
        self.rollout()
        with self.subTest("what was just rolled out differs in nothing"):
            self.assertEqual(self.diff(0), [])
        with self.subTest("a changed field"):
            self.patch("deployment/web", {"spec": {"progressDeadlineSeconds": 99}}, "--field-manager=ada")
            self.assertEqual(self.diff(4), [("changed", "deployment/web", "spec.progressDeadlineSeconds", "ada")])
            shown = self.deployctl("diff", "-e", "lab")
            self.assert_exit(shown, 4)
            self.assertRegex(shown.stdout, r"deployment/web +spec\.progressDeadlineSeconds +changed +99 +300 +ada, ")
            self.patch("deployment/web", {"spec": {"progressDeadlineSeconds": 300}}, "--field-manager=ada")
        with self.subTest("a variable that somebody added"):
            added = kubectl("set", "env", "deployment/web", "DEBUG=1", "-n", self.namespace)
            self.assertEqual(added.code, 0, added)
            found = self.diff(4)
            self.assertEqual([each[:3] for each in found],
                             [("added", "deployment/web", "spec.template.spec.containers[web].env[DEBUG]")])
        with self.subTest("and an annotation of the pods: diff names the command that takes out both"):
            self.patch("deployment/web", {"spec": {"template": {"metadata": {"annotations": {"team": "it's blue"}}}}})
            shown = self.deployctl("diff", "-e", "lab")
            self.assert_exit(shown, 4)
            command = re.search(r"(kubectl patch deployment/web .*)$", shown.stderr, re.M)
            self.assertTrue(command, shown)
            self.assertIn("# replaces the pods", command[1])
            done = run(["sh", "-c", command[1]])
            self.assertEqual(done.code, 0, done)
            self.assertEqual(self.diff(0), [])
        with self.subTest("an image that somebody set"):
            kubectl("set", "image", "deployment/web", "web=elsewhere.example.com/web:1", "-n", self.namespace)
            found = self.diff(4)
            self.assertEqual([each[:3] for each in found],
                             [("changed", "deployment/web", "spec.template.spec.containers[web].image")])
            self.assertTrue(found[0][3].startswith("kubectl"), found)

    def test_are_secrets_that_somebody_deleted(self):
        self.use(service="    secrets: {TOKEN: \"env:E2E_TOKEN\"}\n")
        env = {"E2E_TOKEN": "s3cr3t-canary"}
        self.rollout(env=env)
        self.assertEqual(self.diff(0), [])
        name = self.live("{.spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.name}")
        maps = kubectl("get", "configmap", "-n", self.namespace, "-l", "app.kubernetes.io/name=web", "-o", "name").stdout
        kubectl("delete", "secret", name, "-n", self.namespace)
        kubectl("delete", maps.strip(), "-n", self.namespace)
        for values in ({}, env):
            done = self.deployctl("diff", "-e", "lab", "--output", "json", env=values)
            self.assert_exit(done, 4)
            self.assertEqual([(each["kind"], each["object"]) for each in json.loads(done.stdout)["differences"]],
                             [("missing", maps.strip()), ("missing", f"secret/{name}")])

    def test_are_not_replicas_that_an_autoscaler_has(self):
        self.use(service="    resources: {cpu: 10m}\n")
        self.rollout()
        self.patch("deployment/web", {"spec": {"replicas": 2}}, "--field-manager=ada")
        self.assertEqual(self.diff(4), [("changed", "deployment/web", "spec.replicas", "ada")])
        scaled = kubectl("autoscale", "deployment/web", "--min=1", "--max=3", "--cpu-percent=50", "-n", self.namespace)
        self.assertEqual(scaled.code, 0, scaled)
        self.assertEqual(self.diff(0), [])
        with self.subTest("and a rollout leaves them alone"):
            done = self.rollout("--timeout", "1s", code=6)
            self.assertIn("an autoscaler has the replicas of web", done.stderr)
            self.assertEqual(self.live("{.spec.replicas}"), "2")

    def test_are_objects_the_project_no_longer_has(self):
        self.use(extra=f"""  old:
    image: {self.image}
    replicas: 0
    volumes: {{data: {{mount: /data, size: 1Mi}}}}
""")
        self.rollout()
        self.use()
        found = self.diff(4)
        self.assertIn(("extra", "deployment/old"), [each[:2] for each in found])
        with self.subTest("and what stays of them is told with the way to be rid of it"):
            kept = f"kubectl delete persistentvolumeclaim/old-data -n {self.namespace} deletes both"
            self.assertIn(kept, self.plan().stderr)
            self.assertIn(kept, self.rollout().stderr)
            self.assertNotIn(kept, self.rollout().stderr)


def members(value, path=""):
    """The paths of what is in a document, as docs/json-output.md writes them."""
    if isinstance(value, dict) and value:
        return {found for name, each in value.items() for found in members(each, f"{path}.{name}" if path else name)}
    if isinstance(value, list):
        return {found for each in value for found in members(each, f"{path}[]")}
    return {path}


class JsonForms(PlansTest):
    def documented(self, command):
        page = (SOURCE / "docs/json-output.md").read_text(encoding="utf-8")
        head, *sections = re.split(r"^## ", page, flags=re.M)
        text = head + "".join(each for each in sections if each.startswith((command, "history" if command == "status" else "?")))
        return set(re.findall(r"^\| `([^`]+)` \|", text, re.M))

    def test_are_documented_member_by_member(self):
        self.use()
        self.rollout()
        self.patch("deployment/web", {"spec": {"progressDeadlineSeconds": 99, "minReadySeconds": 3}}, "--field-manager=ada")
        for command, code in (("status", 0), ("history", 0), ("diff", 4), ("plan", 0)):
            with self.subTest(command):
                done = self.deployctl(command, "-e", "lab", "--output", "json")
                self.assert_exit(done, code)
                known = self.documented(command)
                unknown = {each for each in members(json.loads(done.stdout))
                           if each not in known and each.rpartition(".")[0] + "{}" not in known}
                self.assertEqual(unknown - {"releases[].images"}, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
