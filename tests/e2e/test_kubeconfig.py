"""A kubeconfig of several files means the same to deployctl as to kubectl, which is asked."""

import base64
import json
import os
import unittest

from harness import ProjectTest, kubectl, run


class Merged(ProjectTest):
    def setUp(self):
        super().setUp()
        self.write("deployctl.yaml", "project: e2e-kubeconfig\nservices:\n  web: {image: 'busybox:1.36'}\n")
        self.lab = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
        cluster, user = self.lab["clusters"][0]["cluster"], self.lab["users"][0]["user"]
        self.server = cluster["server"]
        for name, data in (("two/ca.crt", cluster["certificate-authority-data"]),
                           ("one/keys/user.crt", user["client-certificate-data"]),
                           ("one/keys/user.key", user["client-key-data"])):
            self.write(name, base64.b64decode(data).decode())

    def config(self, path, **parts):
        self.write(path, json.dumps({"apiVersion": "v1", "kind": "Config", **parts}))

    def use(self, *paths):
        self.env = {"KUBECONFIG": ":".join(str(self.folder / path) if path else "" for path in paths)}

    def kubectl(self, *arguments):
        return run(["kubectl", *arguments], env=self.env)

    def assert_same_as_kubectl(self, context):
        view = self.kubectl("config", "view", "--minify", "-o", "json")
        seen = json.loads(view.stdout)
        self.assertEqual(seen["current-context"], context)
        self.assertEqual(self.kubectl("get", "namespace", "default").code, 0)
        doctor = self.deployctl("doctor", env=self.env)
        self.assertIn(f"at {seen['clusters'][0]['cluster']['server']} (context {context} of ", doctor.stdout, doctor)
        self.assertRegex(doctor.stdout, r"(?m)^ok +identity +kube-system [0-9a-f-]{36}, CA ", doctor)

    def test_of_what_is_named_twice_the_first_counts_and_paths_are_those_of_their_file(self):
        keys = {"client-certificate": "keys/user.crt", "client-key": "keys/user.key"}
        self.config("one/config", **{"current-context": "lab"},
                    contexts=[{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
                    users=[{"name": "admin", "user": keys}])
        self.config("two/config", **{"current-context": "other"},
                    contexts=[{"name": "lab", "context": {"cluster": "nowhere", "user": "nobody"}},
                              {"name": "other", "context": {"cluster": "nowhere", "user": "nobody"}}],
                    clusters=[{"name": "lab", "cluster": {"server": self.server, "certificate-authority": "ca.crt"}},
                              {"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}}],
                    users=[{"name": "admin", "user": {"token": "wrong"}}])
        self.use("one/config", "", "is/not/there", "two/config")
        self.assert_same_as_kubectl("lab")

    def test_the_first_file_that_names_a_current_context_says_which(self):
        self.config("one/config", users=[{"name": "admin", "user": self.lab["users"][0]["user"]}])
        self.config("two/config", **{"current-context": "late"},
                    contexts=[{"name": "late", "context": {"cluster": "lab", "user": "admin"}}],
                    clusters=[{"name": "lab", "cluster": {"server": self.server, "certificate-authority": "ca.crt"}}])
        self.use("one/config", "two/config")
        self.assert_same_as_kubectl("late")

    def test_a_file_that_is_broken_is_named(self):
        self.config("one/config", **{key: self.lab[key] for key in ("current-context", "contexts", "clusters", "users")})
        self.write("broken", "contexts: [\n")
        self.use("one/config", "broken")
        self.assertNotEqual(self.kubectl("get", "namespace", "default").code, 0)
        doctor = self.deployctl("doctor", env=self.env)
        self.assertRegex(doctor.stdout, rf"(?m)^miss +cluster +.*{os.path.basename(self.folder)}/broken", doctor)


if __name__ == "__main__":
    unittest.main(verbosity=2)
