"""A monorepo of two services: a commit that changes one of them replaces the pods of that one only."""

import json
import unittest

from harness import TINY_DOCKERFILE, ProjectTest, kubectl, registry, run

BASE = f"{registry()}/e2e-unchanged/base:1"
KEPT = "the image of api is the live one but for its labels of commit and time; its pods keep it"


def docker(_):
    return "    stack: dockerfile\n"


def native(_):
    return f"""    build: {{builder: native, runtime: "{BASE}", artifact: {{/www/index.html: index.html}}}}
    command: [/bin/httpd, -f, -p, "8080", -h, /www]
"""


def service(name, build):
    return f"""  {name}:
    source: {name}
    port: 8080
    health: /index.html
    strategy: {{deadline: 60s}}
{build(name)}"""


class Unchanged(ProjectTest):
    namespace_prefix = "e2e-unchanged"

    def use(self, build):
        self.write("deployctl.yaml", f"""project: {self.namespace}
registry: {registry()}/{self.namespace}
services:
{service("api", build)}{service("web", build)}environments:
  lab: {{namespace: {self.namespace}}}
""")
        for name in ("api", "web"):
            self.write(f"{name}/index.html", "one\n")
            self.write(f"{name}/Dockerfile", TINY_DOCKERFILE)
        self.commit()

    def change_web(self, content):
        self.write("web/index.html", content)
        self.commit()

    def succeed(self, *arguments):
        done = self.deployctl(*arguments)
        self.assert_exit(done, 0)
        return done

    def pods(self, name):
        """The uids of those that are not on their way out."""
        pods = json.loads(kubectl("get", "pods", "-n", self.namespace, "-l", f"app.kubernetes.io/name={name}", "-o",
                                  "json").stdout)["items"]
        return {pod["metadata"]["uid"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}

    def image(self, name):
        return self.get("deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"]

    def assert_only_web_is_replaced(self, before):
        self.assertEqual(self.pods("api"), before["api"])
        self.assertFalse(self.pods("web") & before["web"])

    def check(self, build):
        self.use(build)
        first = self.succeed("release", "-e", "lab", "--yes")
        self.assertNotIn("live one", first.stderr)
        live = self.image("api")
        self.assertIn(live, first.stdout)
        before = {name: self.pods(name) for name in ("api", "web")}
        self.assertEqual([len(pods) for pods in before.values()], [1, 1])

        with self.subTest("build, push and rollout"):
            self.change_web("two\n")
            self.succeed("build")
            pushed = next(line for line in self.succeed("push").stdout.splitlines() if "/api:" in line)
            self.assertNotEqual(pushed.split("@")[1], live.split("@")[1], "the label of the commit is not in the image")
            plan = self.succeed("plan", "-e", "lab")
            self.assertIn(KEPT, plan.stderr)
            self.assertRegex(plan.stdout, r"update +apply deployment/api  \(its pods stay\)\n")
            self.assertRegex(plan.stdout, r"update +apply deployment/web  \(replaces the pods: image\)\n")
            done = self.succeed("rollout", "-e", "lab", "--yes")
            self.assertIn(KEPT, done.stderr)
            self.assertIn(live + "\n", done.stdout)
            self.assertEqual(self.image("api"), live)
            self.assert_only_web_is_replaced(before)

        with self.subTest("everything in one go"):
            before["web"] = self.pods("web")
            self.change_web("three\n")
            done = self.succeed("release", "-e", "lab", "--yes")
            self.assertIn(KEPT, done.stderr)
            self.assertIn(live + "\n", done.stdout)
            self.assert_only_web_is_replaced(before)

        with self.subTest("no release has the service otherwise: there is nothing to go back to"):
            done = self.deployctl("undo", "api", "-e", "lab", "--yes")
            self.assert_exit(done, 1)
            self.assertIn("has api otherwise", done.stderr)

        with self.subTest("an image that is named by its digest is taken by its word"):
            done = self.succeed("rollout", "api", "-e", "lab", "--yes", "--image", f"api={pushed}")
            self.assertNotIn("live one", done.stderr)
            self.assertEqual(self.image("api"), pushed)
            self.assertFalse(self.pods("api") & before["api"])

    def test_keeps_its_pods_when_docker_builds(self):
        self.check(docker)

    def test_keeps_its_pods_when_the_native_builder_builds(self):
        for command in (["docker", "tag", "busybox:1.36", BASE], ["docker", "push", BASE]):
            done = run(command)
            self.assertEqual(done.code, 0, done)
        self.check(native)


if __name__ == "__main__":
    unittest.main(verbosity=2)
