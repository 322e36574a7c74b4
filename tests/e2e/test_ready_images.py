"""Services that run a ready image: pinned by digest, kept while the tag stays, looked up again when that is wanted."""

import json
import unittest

from harness import ProjectTest, kubectl, registry, run

IMAGE = f"{registry()}/e2e-ready/cache:1"


class ReadyImages(ProjectTest):
    namespace = "e2e-ready"

    def setUp(self):
        super().setUp()
        self.use()
        self.commit()

    def use(self, extra="", image=IMAGE):
        self.write("deployctl.yaml", f"""project: e2e-ready
services:
  cache:
    image: {image}
    port: 8080
    health: /index.html
    strategy: {{deadline: 60s}}
{extra}environments:
  lab: {{namespace: {self.namespace}}}
""")

    def push(self, content):
        """Makes the tag point at an image with this content; its digest."""
        self.write("image/Dockerfile", "FROM busybox:1.36\nCOPY index.html /www/index.html\nUSER 65532:65532\n"
                                       'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n')
        self.write("image/index.html", content)
        built = run(["docker", "build", "-q", "-t", IMAGE, "image"], cwd=self.folder)
        self.assertEqual(built.code, 0, built)
        pushed = run(["docker", "push", IMAGE])
        self.assertEqual(pushed.code, 0, pushed)
        return pushed.stdout.split("digest: ")[1].split()[0]

    def rollout(self, *arguments):
        done = self.deployctl("rollout", "-e", "lab", "--yes", *arguments)
        self.assert_exit(done, 0)
        return done

    def deployment(self):
        return json.loads(kubectl("get", "deployment", "cache", "-n", self.namespace, "-o", "json").stdout)

    def running(self):
        return self.deployment()["spec"]["template"]["spec"]["containers"][0]["image"]

    def test_keep_their_digest_until_they_are_looked_up_again(self):
        with self.subTest("the first rollout pins what the tag stands for"):
            first = self.push("first\n")
            done = self.rollout()
            self.assertEqual(done.stdout, f"{IMAGE}@{first}\n")
            self.assertEqual(self.running(), f"{IMAGE}@{first}")

        with self.subTest("a tag that moves changes nothing"):
            second = self.push("second\n")
            self.assertNotEqual(first, second)
            before = self.deployment()["metadata"]["generation"]
            self.assertIn("0 to create, 0 to update", self.deployctl("plan", "-e", "lab").stdout)
            self.assertIn("unchanged", self.rollout().stderr)
            self.assertEqual(self.deployment()["metadata"]["generation"], before)

        with self.subTest("--pull takes what the tag stands for now"):
            plan = self.deployctl("plan", "-e", "lab", "--pull")
            self.assertIn(f"{IMAGE}@{second}", plan.stdout)
            self.rollout("--pull")
            self.assertEqual(self.running(), f"{IMAGE}@{second}")

        with self.subTest("undo goes back to the first, and the next rollout keeps it"):
            self.assert_exit(self.deployctl("undo", "cache", "-e", "lab", "--yes"), 0)
            self.assertEqual(self.running(), f"{IMAGE}@{first}")
            self.assertIn("unchanged", self.rollout().stderr)

        with self.subTest("'pin: tag' leaves the tag to the cluster"):
            self.use("    pin: tag\n")
            self.assertEqual(self.rollout().stdout, "")
            self.assertEqual(self.running(), IMAGE)

    def test_that_are_not_in_the_registry_fail_before_anything_is_touched(self):
        self.use(image=f"{registry()}/e2e-ready/nowhere:1.0")
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(done, 5)
        self.assertIn("nowhere", done.stderr)
        self.assertNotEqual(kubectl("get", "namespace", self.namespace).code, 0)

    def test_of_a_registry_that_is_away_name_the_ways_out(self):
        self.use(image="127.0.0.1:9/e2e-ready/cache:1")
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_exit(done, 9)
        self.assertLess(done.seconds, 15, done)
        self.assertIn("'pin: tag' at cache", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
