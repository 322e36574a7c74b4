"""Rollouts that cannot succeed end with exit 5 and the cause in words, soon."""

import base64
import http.server
import json
import pathlib
import shutil
import ssl
import tempfile
import threading
import unittest

from harness import TINY_DOCKERFILE, ProjectTest, kubectl, registry, run, tiny_manifest

QUOTA = """apiVersion: v1
kind: ResourceQuota
metadata: {name: none}
spec: {hard: {pods: "0"}}
"""


def against_restricted(pod):
    """What the Pod Security Standard 'restricted' has against a pod, in the words of the server's own check of it, which
    came with Kubernetes 1.22; as far as pods that deployctl makes can break it."""
    spec, found = pod["spec"], []
    of_pod = spec.get("securityContext", {})
    for container in spec["containers"]:
        own, name = container.get("securityContext", {}), container["name"]
        if own.get("allowPrivilegeEscalation") is not False:
            found.append(f'allowPrivilegeEscalation != false (container "{name}" must set '
                         "securityContext.allowPrivilegeEscalation=false)")
        if "ALL" not in own.get("capabilities", {}).get("drop", []):
            found.append(f'unrestricted capabilities (container "{name}" must set securityContext.capabilities.drop=["ALL"])')
        if not own.get("runAsNonRoot", of_pod.get("runAsNonRoot")):
            found.append(f'runAsNonRoot != true (pod or container "{name}" must set securityContext.runAsNonRoot=true)')
        if own.get("seccompProfile", of_pod.get("seccompProfile", {})).get("type") not in ("RuntimeDefault", "Localhost"):
            found.append(f'seccompProfile (pod or container "{name}" must set securityContext.seccompProfile.type to '
                         '"RuntimeDefault" or "Localhost")')
    return found and 'violates PodSecurity "restricted:latest": ' + ", ".join(found)


class AdmissionHook:
    """A webhook that is asked about every pod of one namespace, at an address of this machine. `why_not` answers with
    what it has against a pod, if anything."""

    def __init__(self, why_not):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-hook-"))
        key, certificate = self.folder / "key", self.folder / "crt"
        made = run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=hook",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)])
        assert made.code == 0, made
        self.authority = base64.b64encode(certificate.read_bytes()).decode()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)

        class Denying(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                words = why_not(asked["request"]["object"])
                answer = json.dumps({"apiVersion": asked["apiVersion"], "kind": "AdmissionReview",
                                     "response": {"uid": asked["request"]["uid"], "allowed": not words,
                                                  "status": {"message": words or ""}}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Denying)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def configuration(self, namespace, resource="pods", group="", side_effects="None"):
        # Side effects can be declared to the old version of the API only.
        version = "v1" if side_effects == "None" else "v1beta1"
        return {"apiVersion": f"admissionregistration.k8s.io/{version}", "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": namespace},
                "webhooks": [{"name": "friday.example.com", "admissionReviewVersions": [version],
                              "sideEffects": side_effects, "failurePolicy": "Ignore", "timeoutSeconds": 5,
                              "clientConfig": {"url": f"https://127.0.0.1:{self.server.server_address[1]}/",
                                               "caBundle": self.authority},
                              "namespaceSelector": {"matchLabels": {"e2e-hook": namespace}},
                              "rules": [{"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE"],
                                         "resources": [resource]}]}]}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)


class BrokenRollouts(ProjectTest):
    namespace = "e2e-failures"

    def use(self, dockerfile=TINY_DOCKERFILE, extra="", health="    health: /index.html\n"):
        self.write("Dockerfile", dockerfile)
        self.write("index.html", "hello\n")
        self.write("deployctl.yaml", tiny_manifest("e2e-failures", extra, self.namespace, health))
        self.commit()

    def assert_broken(self, done, *words, within=45):
        self.assert_exit(done, 5)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertLess(done.seconds, within, done)

    def test_an_image_that_is_not_in_the_registry_is_named_before_anything_is_touched(self):
        self.use()
        done = self.deployctl("rollout", "-e", "lab", "--yes", "--image", f"web={registry()}/e2e-failures/web:nowhere")
        self.assertIn("nowhere", done.stderr)
        self.assert_exit(done, 5)
        self.assertNotEqual(kubectl("get", "deployment", "web", "-n", self.namespace).code, 0)

    def test_a_tag_that_the_node_cannot_pull_ends_with_the_cause(self):
        # With 'pin: tag' the image is the cluster's to find.
        self.write("deployctl.yaml", f"""project: e2e-failures
services:
  cache:
    image: {registry()}/e2e-failures/nowhere:1.0
    pin: tag
    port: 6379
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit()
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_broken(done, "pod/cache-", "nowhere:1.0", "rule image-missing", within=30)

    def test_a_crashing_container_ends_with_its_last_words(self):
        self.use("FROM busybox:1.36\nUSER 65532:65532\nCMD [\"sh\", \"-c\", \"echo no database here; exit 3\"]\n", health="")
        done = self.deployctl("release", "-e", "lab", "--yes")
        self.assert_broken(done, "pod/web-", "no database here", "3")
        logs = self.deployctl("logs", "web", "-e", "lab", "--previous")
        self.assert_exit(logs, 0)
        self.assertIn("| no database here\n", logs.stdout)

    def test_a_worker_that_gives_up_after_a_second_is_no_success(self):
        self.write("deployctl.yaml", f"""project: e2e-failures
services:
  worker: {{image: "busybox:1.36", pin: tag, command: [sh, -c, "sleep 1; echo no queue; exit 1"]}}
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit()
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_broken(done, "pod/worker-", "no queue")

    def test_a_missing_command_is_named(self):
        self.use("FROM busybox:1.36\nUSER 65532:65532\nCMD [\"/no/such/program\"]\n", health="")
        done = self.deployctl("release", "-e", "lab", "--yes")
        self.assert_broken(done, "/no/such/program")

    def test_a_quota_that_leaves_no_room_is_named(self):
        self.use()
        kubectl("create", "namespace", self.namespace)
        self.write("../quota.yaml", QUOTA)
        self.addCleanup((self.folder / "../quota.yaml").unlink)
        applied = kubectl("apply", "-n", self.namespace, "-f", str(self.folder / "../quota.yaml"))
        self.assertEqual(applied.code, 0, applied)
        done = self.deployctl("release", "-e", "lab", "--yes")
        self.assert_broken(done, "quota")

    def use_hook(self, why_not, **asked_about):
        hook = AdmissionHook(why_not)
        self.addCleanup(hook.close)
        kubectl("create", "namespace", self.namespace)
        kubectl("label", "namespace", self.namespace, f"e2e-hook={self.namespace}")
        self.addCleanup(kubectl, "delete", "validatingwebhookconfiguration", self.namespace)
        self.write("../hook.json", json.dumps(hook.configuration(self.namespace, **asked_about)))
        self.addCleanup((self.folder / "../hook.json").unlink)
        applied = kubectl("apply", "-f", str(self.folder / "../hook.json"))
        self.assertEqual(applied.code, 0, applied)
        self.wait_until_the_hook_is_known()

    def test_pods_that_an_admission_webhook_denies_are_told_with_its_words(self):
        self.use()
        self.use_hook(lambda pod: "no pods on a Friday")
        done = self.deployctl("release", "-e", "lab", "--yes")
        self.assert_broken(done, "no pods on a Friday", "admission webhook", "denied the request")

    def test_pods_that_the_security_standard_of_the_namespace_forbids_are_told_with_what_they_lack(self):
        self.use_hook(against_restricted)
        self.write("deployctl.yaml", f"""project: e2e-failures
services:
  cache: {{image: "busybox:1.36", pin: tag, command: [sleep, "3600"]}}
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit()
        done = self.deployctl("rollout", "-e", "lab", "--yes")
        self.assert_broken(done, 'violates PodSecurity "restricted:latest"', 'container "cache" must set', "rule pods-refused")

    def test_pods_with_an_image_of_our_own_satisfy_the_strictest_security_standard(self):
        self.write("deployctl.yaml", f"""project: e2e-failures
registry: {registry()}/e2e-failures
services:
  web: {{stack: go, port: 8080, health: /health, tasks: {{migrate: {{command: [/app, migrate]}}}}}}
""")
        self.commit()
        self.assert_exit(self.deployctl("generate", "kubernetes", "--out", "made"), 0)
        made = run(["kubectl", "create", "--dry-run=client", "-o", "json", "-f", str(self.folder / "made"), "-R"])
        self.assertEqual(made.code, 0, made)
        objects = json.loads("[" + made.stdout.replace("\n}\n{\n", "\n},\n{\n") + "]")
        templates = [each["spec"]["template"] for each in objects if "template" in each.get("spec", {})]
        self.assertEqual([against_restricted(each) for each in templates], [[]])

    def wait_until_the_hook_is_known(self):
        """The server hears of a new webhook a moment later."""
        tries = (("run", "asked", "--image=asked"), ("create", "deployment", "asked", "--image=asked"))
        for _ in range(50):
            if any(kubectl(*each, "--dry-run=server", "-n", self.namespace).code != 0 for each in tries):
                return
        self.fail("the hook is not asked")

    def test_what_a_hook_with_side_effects_would_say_is_left_open(self):
        self.write("deployctl.yaml", f"""project: e2e-failures
services:
  web: {{image: "busybox:1.36", pin: tag, replicas: 0}}
environments:
  lab: {{namespace: {self.namespace}}}
""")
        self.commit()
        self.use_hook(lambda pod: None, resource="deployments", group="apps", side_effects="Some")
        for command in (("plan",), ("rollout", "--yes")):
            done = self.deployctl(*command, "-e", "lab")
            self.assert_exit(done, 0)
            self.assertIn("cannot try out to apply deployment/web", done.stderr)

    def test_a_configuration_that_vanished_is_named(self):
        self.use(extra="    secrets: {TOKEN: \"env:E2E_TOKEN\"}\n")
        done = self.deployctl("release", "-e", "lab", "--yes")
        self.assertIn("E2E_TOKEN", done.stderr)
        self.assert_exit(done, 3)
        good = self.deployctl("release", "-e", "lab", "--yes", env={"E2E_TOKEN": "s3cr3t-canary"})
        self.assert_exit(good, 0)
        self.assertNotIn("s3cr3t-canary", good.stdout + good.stderr)

    def test_a_mistake_in_the_manifest_exits_3_before_anything_is_touched(self):
        self.use()
        manifest = (self.folder / "deployctl.yaml").read_text(encoding="utf-8")
        self.write("deployctl.yaml", manifest.replace("    port: 8080", "    prot: 8080"))
        for command in ("validate", "build", "push", "rollout", "release", "generate", "plan", "status", "undo"):
            done = self.deployctl(command, *(["web"] if command == "undo" else []), "-e", "lab")
            self.assert_exit(done, 3)
            self.assertIn("did you mean 'port'?", done.stderr)
        self.assertNotEqual(kubectl("get", "namespace", self.namespace).code, 0)

    def test_that_the_project_has_more_patience_with_are_no_failures_yet(self):
        def use(rules):
            self.write("deployctl.yaml", f"""project: e2e-failures
services:
  web:
    image: {registry()}/e2e-failures/nowhere:1
    pin: tag
    strategy: {{rules: {rules}}}
environments:
  lab: {{namespace: {self.namespace}}}
""")

        use("{image-missing: never, image-not-found: never}")
        undecided = self.deployctl("rollout", "-e", "lab", "--yes", "--timeout", "4s")
        self.assert_exit(undecided, 6)
        self.assertIn("nowhere:1", undecided.stderr)
        use("{image-missing: 2s}")
        failed = self.deployctl("rollout", "-e", "lab", "--yes", "--timeout", "60s")
        self.assert_exit(failed, 5)
        self.assertIn("rule image-missing", failed.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
