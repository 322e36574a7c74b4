"""Engine, registry or cluster away: exit 9, one line of cause and what to do, soon."""

import unittest

from harness import TINY_DOCKERFILE, ProjectTest, registry, tiny_manifest

DEAD = "127.0.0.1:9"  # discard: nothing listens there

KUBECONFIG = f"""apiVersion: v1
kind: Config
current-context: dead
contexts: [{{name: dead, context: {{cluster: dead, user: dead}}}}]
clusters: [{{name: dead, cluster: {{server: "https://{DEAD}"}}}}]
users: [{{name: dead, user: {{token: none}}}}]
"""


class PartsThatAreAway(ProjectTest):
    def setUp(self):
        super().setUp()
        self.write("Dockerfile", TINY_DOCKERFILE)
        self.write("index.html", "hello\n")
        self.write("deployctl.yaml", tiny_manifest("e2e-away"))
        self.write("kubeconfig", KUBECONFIG)
        self.write(".gitignore", "kubeconfig\n")
        self.commit()

    def assert_unreachable(self, done, *words):
        self.assert_exit(done, 9)
        self.assertLess(done.seconds, 15, done)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
        self.assertEqual(len(errors), 1, done)
        for word in words:
            self.assertIn(word, errors[0])
        self.assertIn("hint:", done.stderr)

    def test_every_command_that_needs_the_cluster_says_when_it_is_down(self):
        away = {"KUBECONFIG": str(self.folder / "kubeconfig")}
        for command in (["rollout", "--yes"], ["release", "--yes"], ["plan"], ["status"], ["history"],
                        ["undo", "web", "--yes"], ["restart", "web"], ["logs", "web"]):
            with self.subTest(command[0]):
                self.assert_unreachable(self.deployctl(*command, "-e", "lab", env=away), DEAD)

    def test_every_command_that_needs_the_registry_says_when_it_is_down(self):
        self.assert_exit(self.deployctl("build"), 0)
        manifest = (self.folder / "deployctl.yaml").read_text(encoding="utf-8")
        self.write("deployctl.yaml", manifest.replace(f"{registry()}/", f"{DEAD}/"))
        for command in (["rollout", "--yes"], ["release", "--yes"], ["build", "--push"]):
            with self.subTest(command[0]):
                self.assert_unreachable(self.deployctl(*command, "-e", "lab"), DEAD)
        self.assert_exit(self.deployctl("build"), 0)
        with self.subTest("push"):
            self.assert_unreachable(self.deployctl("push"), DEAD)

    def test_every_command_that_needs_the_engine_says_when_it_is_down(self):
        away = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
        for command in (["build"], ["push"], ["release", "--yes"]):
            with self.subTest(command[0]):
                self.assert_unreachable(self.deployctl(*command, "-e", "lab", env=away), "/nonexistent/docker.sock")

    def test_doctor_reports_every_part_in_one_run(self):
        done = self.deployctl("doctor", "-e", "lab", env={"KUBECONFIG": str(self.folder / "kubeconfig"),
                                                          "DOCKER_HOST": "unix:///nonexistent/docker.sock"})
        self.assert_exit(done, 9)
        self.assertIn("/nonexistent/docker.sock", done.stdout)
        self.assertIn(DEAD, done.stdout)
        self.assertLess(done.seconds, 15, done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
