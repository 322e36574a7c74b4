"""From source to an answered request, updated under load without a failed one, and undone: the bundled service."""

import json
import shutil
import time
import unittest

from harness import SOURCE, Load, ProjectTest, get_json, kubectl, registry

PORT = 30411


class ReleaseOfTheBundledService(ProjectTest):
    namespace = "e2e-release"

    def setUp(self):
        super().setUp()
        shutil.copytree(SOURCE / "examples/api-service", self.folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("build", ".git"))
        manifest = (self.folder / "deployctl.yaml").read_text(encoding="utf-8")
        manifest = "".join(line if not line.startswith("registry:") else f"registry: {registry()}/e2e-release\n"
                           for line in manifest.splitlines(keepends=True))
        self.manifest = manifest.replace("node_port: 30080", f"node_port: {PORT}")
        self.assertIn(str(PORT), self.manifest)
        self.use_greeting("first")
        self.commit("first")

    def use_greeting(self, text):
        lines = [f"      GREETING: {text}\n" if line.strip().startswith("GREETING:") else line
                 for line in self.manifest.splitlines(keepends=True)]
        self.write("deployctl.yaml", "".join(lines) + f"  e2e:\n    namespace: {self.namespace}\n")

    def release(self, *arguments):
        done = self.deployctl("release", "-e", "e2e", "--yes", *arguments)
        self.assert_exit(done, 0)
        return done

    def assert_greeting(self, text):
        """The service comes to answer so: pods that are on their way out may still answer for a moment."""
        end = time.monotonic() + 20
        while text not in (answer := json.dumps(get_json(PORT, "/api/hello"))):
            self.assertLess(time.monotonic(), end, answer)
            time.sleep(0.2)

    def test_is_released_updated_under_load_and_undone(self):
        with self.subTest("a release answers requests"):
            first = self.release()
            self.assertRegex(first.stdout, r"/api:[^@\s]+@sha256:[0-9a-f]{64}\n")
            self.assert_greeting("first")

        with self.subTest("releasing the same again changes nothing and says so"):
            before = kubectl("get", "deployment", "-n", self.namespace, "-o", "json").stdout
            again = self.release()
            after = kubectl("get", "deployment", "-n", self.namespace, "-o", "json").stdout
            self.assertEqual(self.generations(before), self.generations(after))
            self.assertIn("unchanged", again.stderr)
            self.assertEqual(first.stdout, again.stdout)

        with self.subTest("an update under continuous requests fails none of them"):
            self.use_greeting("second")
            self.commit("second")
            with Load(PORT, "/api/hello") as load:
                self.release()
            self.assertGreater(load.total, 100)
            self.assertEqual(load.failures, [])
            self.assert_greeting("second")

        with self.subTest("history lists both"):
            history = self.deployctl("history", "-e", "e2e", "--output", "json")
            self.assert_exit(history, 0)
            self.assertEqual([(each["number"], each["state"]) for each in json.loads(history.stdout)["releases"]],
                             [(2, "deployed"), (1, "superseded")])

        with self.subTest("undo brings the first back, under load too"):
            with Load(PORT, "/api/hello") as load:
                undone = self.deployctl("undo", "-e", "e2e", "--yes")
            self.assert_exit(undone, 0)
            self.assertEqual(load.failures, [])
            self.assert_greeting("first")

        with self.subTest("restart replaces the pods without a failed request"):
            with Load(PORT, "/api/hello") as load:
                restarted = self.deployctl("restart", "api", "-e", "e2e")
            self.assert_exit(restarted, 0)
            self.assertEqual(load.failures, [])

        with self.subTest("status and logs show what runs"):
            status = self.deployctl("status", "-e", "e2e")
            self.assert_exit(status, 0)
            self.assertIn("api", status.stdout)
            logs = self.deployctl("logs", "api", "-e", "e2e", "--tail", "5")
            self.assert_exit(logs, 0)
            self.assertIn("trace_id", logs.stdout)

    @staticmethod
    def generations(listing):
        return [item["metadata"]["generation"] for item in json.loads(listing)["items"]]


if __name__ == "__main__":
    unittest.main(verbosity=2)
