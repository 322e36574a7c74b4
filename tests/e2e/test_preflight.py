"""What would keep a rollout from succeeding is said before anything is written: all of it, with what to do, and with the
exit code of its class. The real API server decides; that nothing was written is read from it, too.
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile
import unittest
import urllib.request

from harness import ProjectTest, kubectl, registry, run

PROJECT = "e2e-preflight"
KINDS = "all,configmap,secret,pvc,hpa,pdb,ingress,serviceaccount,lease"


def put(path, data, content_type):
    request = urllib.request.Request(f"http://{registry()}{path}", data=data, method="PUT",
                                     headers={"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=10):
        pass


def push_image(repository, tag, architecture):
    """An image of nothing, for the architecture: what a registry says of it is all that is needed here."""
    def upload(data):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        begin = urllib.request.Request(f"http://{registry()}/v2/{repository}/blobs/uploads/", data=b"", method="POST")
        with urllib.request.urlopen(begin, timeout=10) as answer:
            place = answer.headers["Location"].split(registry(), 1)[-1]
        put(f"{place}{'&' if '?' in place else '?'}digest={digest}", data, "application/octet-stream")
        return {"digest": digest, "size": len(data)}

    config = upload(json.dumps({"architecture": architecture, "os": "linux", "config": {},
                                "rootfs": {"type": "layers", "diff_ids": []}}).encode())
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": []}
    put(f"/v2/{repository}/manifests/{tag}", json.dumps(manifest).encode(), manifest["mediaType"])
    return f"{registry()}/{repository}:{tag}"


def node_architecture():
    return kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.nodeInfo.architecture}").stdout


def as_account(name, namespace, folder):
    """A kubeconfig of a service account, made from the lab's own."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
    secret = kubectl("get", "serviceaccount", name, "-n", namespace, "-o", "jsonpath={.secrets[0].name}").stdout
    token = json.loads(kubectl("get", "secret", secret, "-n", namespace, "-o", "json").stdout)["data"]["token"]
    config["users"] = [{"name": name, "user": {"token": base64.b64decode(token).decode()}}]
    config["contexts"][0]["context"]["user"] = name
    path = pathlib.Path(folder) / f"{name}.kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return str(path)


class PreflightTest(ProjectTest):
    namespace = PROJECT

    def setUp(self):
        super().setUp()
        self.state = tempfile.mkdtemp(prefix="deployctl-state-")
        self.addCleanup(shutil.rmtree, self.state, ignore_errors=True)
        self.image = push_image(f"{PROJECT}/web", "1", node_architecture())

    def use(self, extra="", service="", image=None, strategy="{deadline: 5s}"):
        self.write("deployctl.yaml", f"""project: {PROJECT}
services:
  web:
    image: {image or self.image}
    port: 8080
    strategy: {strategy}
{service}{extra}environments:
  lab: {{namespace: {self.namespace}}}
""")

    def rollout(self, *arguments, env=None, command="rollout"):
        return self.deployctl(command, "-e", "lab", "--yes", "--log-level", "debug", *arguments,
                              env={"XDG_STATE_HOME": self.state, **(env or {})})

    def make_namespace(self):
        self.assertEqual(kubectl("create", "namespace", self.namespace).code, 0)
        for _ in range(100):  # the account that pods get appears a moment later
            if kubectl("get", "serviceaccount", "default", "-n", self.namespace).code == 0:
                return

    def make(self, *objects):
        for each in objects:
            self.write(f"../{self.namespace}.json", json.dumps(each))
            self.addCleanup((self.folder / f"../{self.namespace}.json").unlink, missing_ok=True)
            done = kubectl("apply", "-n", self.namespace, "-f", str(self.folder / f"../{self.namespace}.json"))
            self.assertEqual(done.code, 0, done)

    def make_deployment_of_others(self, name):
        """With a selector that is not ours, and which cannot be changed."""
        labels = {"app": name}
        self.make({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
                   "spec": {"replicas": 0, "selector": {"matchLabels": labels},
                            "template": {"metadata": {"labels": labels},
                                         "spec": {"containers": [{"name": "web", "image": self.image}]}}}})

    def versions(self):
        listed = json.loads(kubectl("get", KINDS, "-n", self.namespace, "-o", "json").stdout or '{"items": []}')
        return {(each["kind"], each["metadata"]["name"]): each["metadata"]["resourceVersion"]
                for each in listed["items"] if each["kind"] not in ("Secret", "ServiceAccount")}

    def assert_refused(self, code, *words, env=None, arguments=(), command="rollout"):
        """Refused with the code and the words; nothing was written, as the requests and the objects tell."""
        before = self.versions()
        done = self.rollout(*arguments, env=env, command=command)
        self.assert_exit(done, code)
        text = re.sub(r"\n  \| ", "\n", done.stderr)
        for word in words:
            self.assertIn(word, text, done)
        writes = [line for line in re.findall(r"(?:POST|PUT|DELETE) \S+", done.stderr) if "selfsubject" not in line]
        self.assertEqual(writes, [], done)
        self.assertEqual(self.versions(), before, done)
        return done


class WhatKeepsARolloutFromBeginning(PreflightTest):
    def test_another_cluster_than_the_one_before(self):
        self.make_namespace()
        self.use()
        records = pathlib.Path(self.state) / "deployctl/clusters"
        records.mkdir(parents=True)
        record = records / f"{PROJECT}.lab.json"
        record.write_text(json.dumps({"uid": "00000000-0000-4000-8000-000000000000", "authorities": ["sha256:" + "0" * 64],
                                      "server": "https://10.0.0.1:6443 (context prod)", "since": "2026-01-01T00:00:00Z"}),
                          encoding="utf-8")
        self.assert_refused(7, "belongs to another cluster", "https://10.0.0.1:6443 (context prod)",
                            "00000000-0000-4000-8000-000000000000", "deployctl doctor -e lab --accept-cluster")
        accepted = self.deployctl("doctor", "-e", "lab", "--accept-cluster", env={"XDG_STATE_HOME": self.state})
        uid = kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}").stdout
        self.assertIn(uid, accepted.stdout)
        self.assertEqual(json.loads(record.read_text(encoding="utf-8"))["uid"], uid)
        self.assertEqual(record.stat().st_mode & 0o777, 0o600)

    def test_another_cluster_than_the_one_that_is_pinned(self):
        self.make_namespace()
        self.use("cluster: {uid: 00000000-0000-4000-8000-000000000000}\n")
        self.assert_refused(7, "belongs to another cluster", "deployctl.yaml:7", "meant: kube-system 00000000-0000-4000-8000-000000000000\n")
        for command in (["promote", "--yes"], ["abort"], ["restart", "--yes"]):
            done = self.deployctl(*command, "-e", "lab")
            self.assert_exit(done, 7)
            self.assertIn("belongs to another cluster", done.stderr)
        for command in ("status", "history", "diff"):
            self.assertIn("belongs to another cluster", self.deployctl(command, "-e", "lab").stderr)
        uid = kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}").stdout
        self.use(f"cluster: {{uid: {uid}, ca: 'sha256:{'0' * 64}'}}\n")
        self.assert_refused(7, "its CA is another one")

    def test_an_image_that_is_missing(self):
        self.make_namespace()
        self.use(image=f"{registry()}/{PROJECT}/web@sha256:{'0' * 64}")
        self.assert_refused(5, "has no", "0000")

    def test_an_image_that_the_pull_secret_may_not_pull(self):
        self.make_namespace()
        host = os.environ["DEPLOYCTL_LAB_AUTH_REGISTRY"]
        document = {"auths": {host: {"auth": base64.b64encode(b"nobody:wrong").decode()}}}
        self.make({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "regcred"},
                   "type": "kubernetes.io/dockerconfigjson",
                   "data": {".dockerconfigjson": base64.b64encode(json.dumps(document).encode()).decode()}})
        self.use("pull_secret: regcred\n", image=f"{host}/{PROJECT}/web@sha256:{'0' * 64}")
        self.assert_refused(5, "does not let", "with the pull secret regcred", "renew the pull secret")

    def test_an_image_for_another_platform(self):
        self.make_namespace()
        other = "arm64" if node_architecture() == "amd64" else "amd64"
        self.use(image=push_image(f"{PROJECT}/other", "1", other))
        self.assert_refused(5, f"is for linux/{other}, and the nodes are linux/{node_architecture()}")

    def test_an_image_for_another_platform_in_a_namespace_that_is_not_there_yet(self):
        other = "arm64" if node_architecture() == "amd64" else "amd64"
        self.use(image=push_image(f"{PROJECT}/other", "1", other))
        self.assert_refused(5, f"is for linux/{other}, and the nodes are linux/{node_architecture()}")
        self.assertNotEqual(kubectl("get", "namespace", self.namespace).code, 0, "nothing was made")

    def test_a_quota_without_room(self):
        self.make_namespace()
        self.use()
        self.make({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
                   "spec": {"hard": {"pods": "0"}}})
        self.assert_refused(5, "quota none allows 0 of pods", "have the quota raised")

    def test_a_quota_without_room_for_the_task_that_follows(self):
        self.make_namespace()
        self.use("    tasks: {warm-up: {command: [\"true\"], when: after-rollout}}\n")
        self.make({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one"},
                   "spec": {"hard": {"pods": "1"}}})
        self.assert_refused(5, "run warm-up of web: quota one allows 1 of pods", "have the quota")

    def test_a_quota_that_wants_to_be_told(self):
        self.make_namespace()
        self.use()
        self.make({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "cpu"},
                   "spec": {"hard": {"requests.cpu": "1"}}})
        self.assert_refused(5, "every pod must say how much it takes")

    def test_limits_that_the_containers_break(self):
        self.make_namespace()
        self.use(service="    resources: {memory: 16Mi}\n")
        self.make({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "least"},
                   "spec": {"limits": [{"type": "Container", "min": {"memory": "64Mi"}}]}})
        self.assert_refused(5, "asks for memory 16.0 MiB, and the LimitRange least demands at least 64.0 MiB")

    def test_a_pod_that_fits_on_no_node(self):
        self.make_namespace()
        self.use(service="    resources: {cpu: 500}\n")
        self.assert_refused(5, "no node has room for one pod of deployment/web")

    def test_a_pod_for_which_other_pods_leave_no_room(self):
        self.make_namespace()
        allocatable = kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.allocatable.memory}").stdout
        held = int(allocatable.removesuffix("Ki")) // 1024 - 1500
        self.make({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "holder"},
                   "spec": {"terminationGracePeriodSeconds": 0,
                            "containers": [{"name": "holder", "image": "k8s.gcr.io/pause:3.2",
                                            "resources": {"requests": {"memory": f"{held}Mi"}}}]}})
        self.addCleanup(kubectl, "delete", "pod", "holder", "-n", self.namespace, "--wait=false")
        kubectl("wait", "pod", "holder", "-n", self.namespace, "--for=condition=Ready", "--timeout=30s")
        self.use(service="    resources: {memory: 2Gi}\n")
        self.assert_refused(5, "no node has room for one more pod of deployment/web (cpu 0, memory 2.0 GiB)",
                            "make room on the nodes")

    def test_a_field_that_is_fixed(self):
        self.make_namespace()
        self.use()
        self.make_deployment_of_others("web")
        self.assert_refused(3, "deployment/web", "field is immutable", "kubectl delete deployment/web",
                            arguments=("--take-over",))

    def test_a_port_that_is_taken(self):
        self.make_namespace()
        self.make({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "first"},
                   "spec": {"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80, "nodePort": 30999}]}})
        self.use(service="    service: {type: NodePort, node_port: 30999}\n")
        self.assert_refused(3, "service/web", "provided port is already allocated", "service/first has it: choose another")

    def test_a_storage_class_that_is_not_there(self):
        self.make_namespace()
        volume = "    volumes: {{data: {{mount: /data, size: 1Mi, class: {name}}}}}\n"
        self.use(service=volume.format(name="standart"))
        self.assert_refused(5, "persistentvolumeclaim/web-data asks for the storage class standart")
        by_hand = f"{self.namespace}-by-hand"
        self.make({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": by_hand},
                   "spec": {"capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"],
                            "storageClassName": by_hand, "hostPath": {"path": "/nowhere"}}})
        self.addCleanup(kubectl, "delete", "persistentvolume", by_hand, "--wait=false")
        self.use(service=volume.format(name=by_hand.replace("hand", "hnd")))
        self.assert_refused(5, f"did you mean '{by_hand}'?")

    def test_a_deployment_that_is_paused(self):
        self.make_namespace()
        self.use(service="    replicas: 0\n")
        self.assert_exit(self.rollout(), 0)
        kubectl("rollout", "pause", "deployment/web", "-n", self.namespace)
        self.use(service="    replicas: 0\n    env: {A: b}\n")
        self.assert_refused(5, "deployment/web is paused, and would not take up the change",
                            f"resume it: kubectl rollout resume deployment/web -n {self.namespace}")

    def hold(self, what):
        """Only begins to go when it is deleted: somebody else has to let it go."""
        name = kubectl("patch", what, "-n", self.namespace, "--type=merge",
                       "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
        self.assertEqual(name.code, 0, name)
        self.addCleanup(kubectl, "patch", what, "-n", self.namespace, "--type=merge", "-p",
                        '{"metadata":{"finalizers":null}}')

    def test_a_deployment_that_is_going(self):
        self.make_namespace()
        self.use(service="    replicas: 0\n")
        self.assert_exit(self.rollout(), 0)
        self.hold("deployment/web")
        kubectl("delete", "deployment/web", "-n", self.namespace, "--wait=false")
        self.assert_refused(1, "deployment/web is being deleted", 'a finalizer may be holding it: ["example.com/hold"]')

    def test_a_namespace_that_is_going(self):
        self.make_namespace()
        self.use()
        kubectl("create", "configmap", "last", "-n", self.namespace)
        self.hold("configmap/last")
        kubectl("delete", "namespace", self.namespace, "--wait=false")
        done = self.rollout()
        self.assert_exit(done, 1)
        self.assertIn("nothing was changed", done.stderr)
        self.assertIn("the namespace is being deleted", done.stderr)
        self.assertIn("wait until it has gone, or use another namespace", done.stderr)

    def test_everything_at_once(self):
        self.make_namespace()
        self.use(service="    resources: {cpu: 500}\n")
        self.make({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
                   "spec": {"hard": {"pods": "0"}}})
        done = self.assert_refused(5, "2 things stand against it, and nothing was changed:", "quota none",
                                   "no node has room")
        self.assertIn("hint:", done.stderr)


class WhatKeepsAnUndoFromBeginning(PreflightTest):
    def test_all_that_keeps_a_rollout_from_it(self):
        self.make_namespace()
        first = push_image(f"{PROJECT}/undone", "1", node_architecture())
        for image in (first, self.image):
            self.use(service="    replicas: 0\n", image=image)
            self.assert_exit(self.rollout(), 0)
        with self.subTest("a field that is fixed"):
            kubectl("delete", "deployment", "web", "-n", self.namespace, "--cascade=foreground")
            self.make_deployment_of_others("web")
            self.assert_refused(3, "deployment/web", "field is immutable", command="undo")
            kubectl("delete", "deployment", "web", "-n", self.namespace)
            self.assert_exit(self.rollout(), 0)
        with self.subTest("an image that is gone"):
            repository = f"http://{registry()}/v2/{PROJECT}/undone/manifests"
            asked = urllib.request.Request(f"{repository}/1", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
            with urllib.request.urlopen(asked, timeout=10) as answer:
                digest = answer.headers["Docker-Content-Digest"]
            with urllib.request.urlopen(urllib.request.Request(f"{repository}/{digest}", method="DELETE"), timeout=10):
                pass
            self.assert_refused(5, "the image of web", "has no", digest, command="undo")
        with self.subTest("another cluster"):
            self.use("cluster: {uid: 00000000-0000-4000-8000-000000000000}\n")
            self.assert_refused(7, "belongs to another cluster", command="undo")


class WhatIsMadeBesideTheStablePods(PreflightTest):
    def test_is_tried_out_too(self):
        for strategy, name in (("canary", "web-canary"), ("blue-green", "web-green")):
            with self.subTest(strategy):
                self.use(service=f"    replicas: 0\n    env: {{FOR: {strategy}}}\n", strategy=f"{{type: {strategy}}}")
                self.make_deployment_of_others(name)
                self.assert_refused(3, f"deployment/{name}: ", "field is immutable", arguments=("--take-over",))
                kubectl("delete", "deployment", name, "-n", self.namespace, "--cascade=foreground")

    def setUp(self):
        super().setUp()
        self.make_namespace()
        self.use(service="    replicas: 0\n")
        self.assert_exit(self.rollout(), 0)


class WhatIsOnlySaid(PreflightTest):
    def test_a_certificate_that_is_not_there_yet(self):
        self.make_namespace()
        self.use(service="    replicas: 0\n    ingress: {host: web.example.com, tls: web-tls}\n")
        done = self.rollout()
        self.assertIn("ingress/web names the Secret web-tls, which is not in namespace", done.stderr)
        self.assertNotEqual(done.code, 3, done)
        with self.subTest("or lacks a key"):
            self.make({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web-tls"}, "data": {"tls.crt": ""}})
            done = self.rollout()
            self.assertIn("ingress/web takes the key 'tls.key' from the Secret web-tls, which has no such key", done.stderr)

    def test_preflight_costs_a_handful_of_requests(self):
        self.make_namespace()
        self.use(service="    replicas: 0\n")
        self.rollout()
        done = self.rollout()
        asked = re.findall(r"(?:GET|POST|PATCH) \S+/(?:kube-system|selfsubjectrulesreviews|resourcequotas|limitranges|nodes|"
                           r"serviceaccounts/default)\S*(?: \([^)]*\))?: status", done.stderr)
        self.assertLessEqual(len(asked), 6, done)


class Permissions(PreflightTest):
    """A role that lacks one verb at a time: the verb is named, and nothing was written (catalogue row 71)."""

    NEEDED = [("coordination.k8s.io", "leases", ("get", "create", "update")),
              ("", "secrets", ("get", "list", "create", "patch", "delete")),
              ("", "services", ("get", "create", "patch")), ("apps", "deployments", ("get", "create", "patch", "list", "watch")),
              ("apps", "replicasets", ("list", "watch")), ("", "pods", ("list", "watch"))]
    # What is asked for without being needed, or is needed by what stands around the plan.
    BESIDES = [{"apiGroups": [""], "resources": ["events", "pods/log", "serviceaccounts", "configmaps"], "verbs": ["*"]}]

    def grant(self, without):
        rules = list(self.BESIDES)
        for group, resource, verbs in self.NEEDED:
            left = [verb for verb in verbs if (verb, resource) != without]
            if left:
                rules.append({"apiGroups": [group], "resources": [resource], "verbs": left})
        self.make({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "ci"}, "rules": rules})

    def test_that_are_missing_are_named_one_by_one(self):
        self.make_namespace()
        self.use()
        self.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ci"}},
                  {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "ci"},
                   "subjects": [{"kind": "ServiceAccount", "name": "ci", "namespace": self.namespace}],
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "ci"}})
        self.grant(None)
        kubeconfig = {"KUBECONFIG": as_account("ci", self.namespace, self.state)}
        for group, resource, verbs in self.NEEDED:
            for verb in verbs:
                with self.subTest(verb=verb, resource=resource):
                    self.grant((verb, resource))
                    self.wait_until_denied(verb, f"{resource}.{group}" if group else resource, kubeconfig)
                    shown = f"{verb} {resource}.{group}" if group else f"{verb} {resource}"
                    self.assert_refused(8, f"user ci may not {shown} in namespace {self.namespace}", "kind: Role",
                                        f"name: {PROJECT}-deployer", env=kubeconfig)
        with self.subTest("with all of them it begins"):
            self.grant(None)
            self.wait_until_denied("watch", "secrets", kubeconfig)
            done = self.rollout(env=kubeconfig)
            self.assertNotEqual(done.code, 8, done)
            self.assertEqual(kubectl("get", "deployment", "web", "-n", self.namespace).code, 0)

    def wait_until_denied(self, verb, resource, kubeconfig):
        """The authorizer hears of a changed role a moment later."""
        for _ in range(50):
            asked = run(["kubectl", "auth", "can-i", verb, resource, "-n", self.namespace], env=kubeconfig)
            if asked.stdout.strip() == "no":
                return
        self.fail(f"{verb} {resource} stays allowed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
