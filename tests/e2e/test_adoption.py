"""Going on with what was brought up by kubectl: refused at first, and then taken over whole."""

import json
import os
import unittest

from harness import ProjectTest, kubectl
from test_preflight import node_architecture, push_image

PROJECT = "e2e-adoption"
WITH_MORE = '    command: ["sh", "-c", "true"]\n    resources: {cpu: 10m}\n'


class AdoptionTest(ProjectTest):
    namespace_prefix = PROJECT

    def setUp(self):
        super().setUp()
        self.image = push_image(f"{PROJECT}/web", "1", node_architecture())
        self.assertEqual(kubectl("create", "namespace", self.namespace).code, 0)

    def use(self, service=""):
        # No replicas: nothing has to run for what is looked at here.
        self.write("deployctl.yaml", f"""project: {PROJECT}
services:
  web:
    image: {self.image}
    port: 8080
    replicas: 0
{service}environments:
  lab: {{namespace: {self.namespace}}}
""")

    def live(self, what):
        return json.loads(kubectl("get", what, "-n", self.namespace, "-o", "json").stdout)

    def bring_up_with_kubectl(self):
        made = self.deployctl("generate", "kubernetes", "-e", "lab", "--stdout")
        self.assert_exit(made, 0)
        self.write("objects.yaml", made.stdout)
        for verb in (["apply"], ["annotate", "ours=no"]):
            done = kubectl(verb[0], "-f", str(self.folder / "objects.yaml"), *verb[1:])
            self.assertEqual(done.code, 0, done)

    def test_what_kubectl_applied_is_taken_over_with_all_its_fields(self):
        self.use(WITH_MORE)
        self.bring_up_with_kubectl()
        self.use()
        refused = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(refused, 1)
        self.assertIn("belongs to kubectl-client-side-apply", refused.stderr)
        self.assertIn("--take-over", refused.stderr)
        self.assertIn("\"args\"", json.dumps(self.live("deployment/web")["spec"]), "nothing was changed")

        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes", "--take-over"), 0)
        container = self.live("deployment/web")["spec"]["template"]["spec"]["containers"][0]
        self.assertNotIn("args", container)
        self.assertEqual(container["resources"], {})
        self.assertEqual(self.live("deployment/web")["metadata"]["annotations"].get("ours"), "no", "a person's own stays")
        self.assertNotIn("kubectl.kubernetes.io/last-applied-configuration", self.live("deployment/web")["metadata"]["annotations"])
        again = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(again, 0)
        self.assertIn("deployment/web unchanged", again.stderr)


    def test_a_service_that_kubectl_exposed_is_taken_over(self):
        self.use()
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 0)
        kubectl("delete", "service", "web", "-n", self.namespace)
        self.assertEqual(kubectl("expose", "deployment", "web", "-n", self.namespace, "--port=80", "--target-port=8080").code, 0)
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes", "--take-over"), 0)
        self.assertEqual([port["port"] for port in self.live("service/web")["spec"]["ports"]], [8080])

    def test_a_selector_that_somebody_has_added_to_is_told_before_anything_is_written(self):
        self.use()
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 0)
        added = kubectl("patch", "service", "web", "-n", self.namespace, "-p", '{"spec": {"selector": {"a/b": "x"}}}')
        self.assertEqual(added.code, 0, added)
        refused = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(refused, 7)
        self.assertIn("service/web would find none of its pods: its selector also has a/b=x, which is not ours", refused.stderr)
        self.assertIn('"path": "/spec/selector/a~1b"', refused.stderr)
        taken = kubectl("patch", "service/web", "-n", self.namespace, "--type=json", "-p",
                        '[{"op": "remove", "path": "/spec/selector/a~1b"}]')
        self.assertEqual(taken.code, 0, taken)
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 0)

    def test_a_variable_set_by_hand_does_not_hide_that_of_the_manifest(self):
        os.environ["E2E_TOKEN"] = "t"
        self.use('    env: {A: "1"}\n    secrets: {TOKEN: "env:E2E_TOKEN"}\n')
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 0)
        hotfix = kubectl("set", "env", "deployment/web", "-n", self.namespace, "A=hotfix", "TOKEN=hotfix", "NEW=theirs")
        self.assertEqual(hotfix.code, 0, hotfix)
        self.use('    env: {A: "2"}\n    secrets: {TOKEN: "env:E2E_TOKEN"}\n')
        planned = self.deployctl("plan", "-e", "lab")
        self.assert_exit(planned, 0)
        self.assertIn("kubectl-set has changed it: takes --take-over", planned.stdout)
        refused = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assertNotEqual(refused.code, 0, refused)

        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes", "--take-over"), 0)
        container = self.live("deployment/web")["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual([each["name"] for each in container["env"] if "valueFrom" not in each], ["NEW"])
        again = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(again, 0)
        self.assertIn("deployment/web unchanged", again.stderr)

        self.assertEqual(kubectl("set", "env", "deployment/web", "-n", self.namespace, "A=hotfix").code, 0)
        refused = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(refused, 1)
        self.assertIn("they hide those of the project manifest: A of container web belongs to kubectl-set since", refused.stderr)
        self.assertIn(f"kubectl set env deployment/web -n {self.namespace} A-", refused.stderr)
        taken_out = kubectl("set", "env", "deployment/web", "-n", self.namespace, "A-")
        self.assertEqual(taken_out.code, 0, taken_out)
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 0)

    def test_the_only_variable_is_taken_out_with_its_list(self):
        for strategy, name in (("rolling", "web"), ("blue-green", "web-green"), ("blue-green", "web")):
            with self.subTest(strategy, of=name):
                self.use(f'    env: {{A: "{strategy} {name}"}}\n    strategy: {{type: {strategy}}}\n')
                self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 0)
                hotfix = kubectl("set", "env", f"deployment/{name}", "-n", self.namespace, "A=hotfix")
                self.assertEqual(hotfix.code, 0, hotfix)
                refused = self.deployctl("rollout", "-e", "lab", "--yes")
                self.assert_exit(refused, 1)
                self.assertIn(f"deployment/{name} has variables that others set, and they hide those", refused.stderr)
                self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes", "--take-over"), 0)
                container = self.live(f"deployment/{name}")["spec"]["template"]["spec"]["containers"][0]
                self.assertNotIn("env", container)
                self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 0)

    def test_a_port_that_moves_is_tried_as_it_will_be(self):
        self.use()
        self.bring_up_with_kubectl()
        text = (self.folder / "deployctl.yaml").read_text(encoding="utf-8")
        self.write("deployctl.yaml", text.replace("port: 8080", "port: 9090"))
        planned = self.deployctl("plan", "-e", "lab")
        self.assert_exit(planned, 0)
        self.assertIn("9090", planned.stdout)
        self.assert_exit(self.deployctl("diff", "-e", "lab"), 4)
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes"), 3)
        self.assert_exit(self.deployctl("rollout", "-e", "lab", "--yes", "--take-over"), 0)
        self.assertEqual([each["port"] for each in self.live("service/web")["spec"]["ports"]], [9090])
        container = self.live("deployment/web")["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual([each["containerPort"] for each in container["ports"]], [9090])
        self.assert_exit(self.deployctl("diff", "-e", "lab"), 0)


if __name__ == "__main__":
    unittest.main()
