"""Canaries whose requests are split by a router, against the real API server with the routers' own kinds of objects.

No data plane is needed to tell whether they are right: every state that the routing objects pass through is written
down by a watch, and a Gateway's part (saying that it has taken a route up) is played by the test.
"""

import contextlib
import http.client
import json
import pathlib
import re
import subprocess
import threading
import time
import unittest

from harness import DEPLOYCTL, ProjectTest, kubectl

CRDS = pathlib.Path(__file__).parent / "routing_crds.yaml"
ROUTES = {"nginx": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
          "gateway": "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes",
          "istio": "/apis/networking.istio.io/v1/namespaces/{}/virtualservices",
          "autoscaler": "/apis/autoscaling/v1/namespaces/{}/horizontalpodautoscalers"}
ANNOTATION = "nginx.ingress.kubernetes.io/"
SERVICE = """  {name}:
    image: busybox:1.36
    pin: tag
    command: ["httpd", "-f", "-p", "8080", "-h", "/etc"]
    port: 8080
    health: /hosts
    env: {{VERSION: "{version}"}}
    strategy: {{type: canary, router: {name}, deadline: 180s, steps: {steps}, {tell}}}
{more}"""
PARTS = {"nginx": ("header: X-Canary, cookie: canary", "    ingress: {host: n.example.com, class: nginx}\n"),
         "gateway": ("header: X-Canary", "    ingress: {host: g.example.com, gateway: public}\n"),
         "istio": ("header: X-Canary, cookie: canary", "    scale: {min: 1, max: 4, cpu: 50}\n")}


class ApiServer:
    """Plain requests to the API server, through `kubectl proxy`."""

    def __init__(self):
        self.process = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r":(\d+)$", self.process.stdout.readline().strip()).group(1))

    def open(self, method, path, body=None, content_type="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": content_type})
        return connection, connection.getresponse()

    def send(self, method, path, body=None, content_type="application/json"):
        connection, answer = self.open(method, path, body, content_type)
        with contextlib.closing(connection):
            return answer.status, json.loads(answer.read() or "null")

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def weights_of_rules(rules, backends, name):
    """{"web": 80, "web-canary": 20} of the rule for everybody."""
    backends = [(name(backend), backend.get("weight")) for backend in rules[-1][backends]]
    return {each: 100 if len(backends) == 1 else weight for each, weight in backends}


class Watched:
    """Every state of the objects of one kind, in order, with whether the canary could serve what leads to it."""

    def __init__(self, api, name, namespace):
        self.api, self.name, self.namespace = api, name, namespace
        self.path = ROUTES[name].format(namespace)
        self.states, self.unready = [], []
        self.connection, answer = api.open("GET", self.path + "?watch=1")
        self.thread = threading.Thread(target=self.follow, args=(answer,), daemon=True)
        self.thread.start()

    def follow(self, answer):
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := answer.readline():
                event = json.loads(line)
                self.take(event["type"], event["object"])

    def take(self, kind, found):
        if self.name == "gateway" and kind != "DELETED":
            self.accept(found)
        state = self.state_of(found) if kind != "DELETED" else "gone"
        if state is None or (self.states and self.states[-1] == state):
            return
        if isinstance(state, dict) and state.get(self.name + "-canary"):
            self.check_canary(state)
        self.states.append(state)

    def state_of(self, found):
        spec = found["spec"]
        if self.name == "nginx":
            if found["metadata"]["name"] != "nginx-canary":
                return None
            return {"nginx-canary": int(found["metadata"]["annotations"][ANNOTATION + "canary-weight"])}
        if self.name == "gateway":
            return weights_of_rules(spec["rules"], "backendRefs", lambda each: each["name"])
        if self.name == "istio":
            return weights_of_rules(spec["http"], "route", lambda each: each["destination"]["host"])
        return spec["minReplicas"]

    def accept(self, route):
        """What a Gateway's controller says once it has taken this generation of the route up."""
        conditions = [{"type": name, "status": "True", "reason": name, "message": "",
                       "observedGeneration": route["metadata"]["generation"],
                       "lastTransitionTime": "2026-01-01T00:00:00Z"} for name in ("Accepted", "ResolvedRefs")]
        parents = [{"parentRef": {"name": "public"}, "controllerName": "example.com/test", "conditions": conditions}]
        if route.get("status", {}).get("parents") != parents:
            self.api.send("PATCH", f"{self.path}/{route['metadata']['name']}/status", {"status": {"parents": parents}},
                          "application/merge-patch+json")

    def check_canary(self, state):
        """Requests must lead to what is there already."""
        place = f"namespaces/{self.namespace}"
        _, deployment = self.api.send("GET", f"/apis/apps/v1/{place}/deployments/{self.name}-canary")
        status, _ = self.api.send("GET", f"/api/v1/{place}/services/{self.name}-canary")
        if status != 200 or not deployment.get("status", {}).get("availableReplicas"):
            self.unready.append(state)

    def close(self):
        with contextlib.suppress(OSError):
            if self.connection.sock:
                self.connection.sock.shutdown(2)
        self.connection.close()


class Routers(ProjectTest):
    namespace_prefix = "routers-e2e"

    def setUp(self):
        super().setUp()
        self.remove_crds()
        self.addCleanup(self.remove_crds)
        self.api = ApiServer()
        self.addCleanup(self.api.close)

    def remove_crds(self):
        kubectl("delete", "-f", str(CRDS), "--ignore-not-found", "--timeout=60s")

    def install_crds(self):
        self.assert_exit(kubectl("apply", "-f", str(CRDS)), 0)
        self.assert_exit(kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", str(CRDS)), 0)

    def use(self, version, steps, services=tuple(PARTS)):
        text = "".join(SERVICE.format(name=name, version=version, steps=steps, tell=PARTS[name][0], more=PARTS[name][1])
                       for name in services)
        self.write("deployctl.yaml", f"project: routers-e2e\nservices:\n{text}"
                                     f"environments:\n  lab: {{namespace: {self.namespace}}}\n")
        self.commit(f"version {version}")

    def command(self):
        return ["rollout", "-e", "lab", "--yes", "--on-failure", "stop"]

    def rollout(self, code=0):
        done = self.deployctl(*self.command())
        self.assert_exit(done, code)
        return done

    def watch(self):
        watched = {name: Watched(self.api, name, self.namespace) for name in ROUTES}
        for each in watched.values():
            self.addCleanup(each.close)
        return watched

    def route(self, name):
        status, found = self.api.send("GET", f"{ROUTES[name].format(self.namespace)}/{name}")
        return found if status == 200 else None

    def routes(self):
        return {name: self.route(name)["spec"] for name in PARTS}

    def assert_no_canary(self):
        for kind in ("deployment", "service", "ingress"):
            listed = kubectl("get", kind, "-n", self.namespace, "-o", "name").stdout
            self.assertNotIn("canary", listed)

    @contextlib.contextmanager
    def walking(self, watched, share):
        """A rollout in the background whose canaries all have this share."""
        process = subprocess.Popen([DEPLOYCTL, *self.command()], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + 120
            while any((watched[name].states or [{}])[-1] == "gone" or
                      (watched[name].states or [{}])[-1].get(name + "-canary") != share for name in PARTS):
                self.assertLess(time.monotonic(), end, {name: each.states for name, each in watched.items()})
                self.assertIsNone(process.poll(), "the rollout has ended")
                time.sleep(0.1)
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def test_routes(self):
        with self.subTest("a cluster without the kinds is told before anything is written"):
            self.use(1, "[{weight: 20}]")
            refused = self.rollout(7)
            self.assertIn("the cluster does not serve HTTPRoute (gateway.networking.k8s.io)", refused.stderr)
            self.assertIn("the cluster does not serve VirtualService (networking.istio.io)", refused.stderr)
            self.assertNotEqual(kubectl("get", "namespace", self.namespace).code, 0, "zero writes")
        self.install_crds()
        self.rollout()
        kubectl("scale", "deployment/istio", "-n", self.namespace, "--replicas=2")
        with self.subTest("so is a Gateway that is not there"):
            self.use(2, "[{weight: 20}]")
            self.assertIn(f"there is no Gateway public in namespace {self.namespace}", self.rollout(7).stderr)
            gateway = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "public"}}
            status, _ = self.api.send("POST", f"/apis/gateway.networking.k8s.io/v1/namespaces/{self.namespace}/gateways",
                                      gateway)
            self.assertEqual(status, 201)
        watched = self.watch()

        with self.subTest("to the end: the objects at every step"):
            self.use(2, "[{weight: 20, pause: 1s}, {weight: 60, pause: 1s}]")
            self.rollout()
            time.sleep(0.5)  # for the last events
            self.assertEqual(watched["nginx"].states, [{"nginx-canary": 20}, {"nginx-canary": 60}, {"nginx-canary": 0}, "gone"])
            for name in ("gateway", "istio"):
                self.assertEqual(watched[name].states, [{name: 100}, {name: 80, name + "-canary": 20},
                                                        {name: 40, name + "-canary": 60}, {name: 100}])
            self.assertEqual(watched["autoscaler"].states, [1, 2, 1], "held at the pods there are, and let go")
            self.assertEqual([each.unready for each in watched.values()], [[], [], [], []])
            self.assert_no_canary()

        before = self.routes()
        with self.subTest("killed: another process leads everything back"):
            self.use(3, "[{weight: 20, pause: 10m}]")
            with self.walking(watched, 20) as process:
                process.kill()
                process.wait()
            self.assert_headers_lead_to_the_canaries()
            self.assertEqual(self.get("hpa", "istio")["spec"]["minReplicas"], 2)
            shown = self.deployctl("plan", "-e", "lab")
            self.assert_exit(shown, 0)
            self.assertNotRegex(shown.stdout, r"spec\.(rules|http|minReplicas)", "what is lent to a canary is no difference")
            self.assert_exit(self.deployctl("abort", "-e", "lab"), 0)
            self.assertEqual(self.routes(), before)
            self.assertEqual(self.get("hpa", "istio")["spec"]["minReplicas"], 1)
            self.assert_no_canary()

        with self.subTest("somebody edits a route meanwhile: the canary goes, and what they wrote stays"):
            self.use(4, "[{weight: 20, pause: 10m}, {weight: 60, pause: 1s}]")
            with self.walking(watched, 20) as process:
                theirs = {"matches": [{"path": {"type": "PathPrefix", "value": "/theirs"}}],
                          "backendRefs": [{"kind": "Service", "name": "theirs", "port": 80, "weight": 1}]}
                rules = [theirs, *self.route("gateway")["spec"]["rules"]]
                status, _ = self.api.send("PATCH", f"{ROUTES['gateway'].format(self.namespace)}/gateway?fieldManager=grace",
                                          {"metadata": {"labels": {"team": "theirs"}}, "spec": {"rules": rules}},
                                          "application/merge-patch+json")
                self.assertEqual(status, 200)
                self.assertEqual(self.deployctl("promote", "-e", "lab", "--yes").code, 7)
                output, _ = process.communicate(timeout=180)
                self.assertEqual(process.returncode, 5, output.decode())
                self.assertIn("grace", output.decode())
            after = self.routes()
            self.assertEqual(after["gateway"]["rules"][0], theirs)
            self.assertEqual(weights_of_rules(after["gateway"]["rules"], "backendRefs", lambda each: each["name"]),
                             {"gateway": 100})
            self.assertEqual(len(after["gateway"]["rules"]), 2)
            self.assertEqual([after["nginx"], after["istio"]], [before["nginx"], before["istio"]],
                             "the canaries of the other services have gone with it")
            self.assert_no_canary()

        with self.subTest("an Ingress that is gone is told before anything is written"):
            kubectl("delete", "ingress", "nginx", "-n", self.namespace)
            self.use(5, "[{weight: 20, pause: 1s}]")
            releases = self.deployctl("history", "-e", "lab").stdout
            refused = self.rollout(7)
            self.assertIn("ingress/nginx: it is not in namespace", refused.stderr)
            self.assertEqual(self.deployctl("history", "-e", "lab").stdout.count("\n"), releases.count("\n"))
            self.assert_no_canary()

        with self.subTest("routes of a service that leaves the project go"):
            self.use(6, "[{weight: 20, pause: 1s}]", ["istio"])
            self.rollout()
            self.assertIsNone(self.route("gateway"))

    def test_nginx_needs_the_ingress_of_the_stable_pods_and_its_own_controller(self):
        self.use(1, "[{weight: 20, pause: manual}]", ["nginx"])
        self.rollout()
        self.use(2, "[{weight: 20, pause: manual}]", ["nginx"])
        self.rollout()
        with self.subTest("a stable Ingress that is gone while the canary waits"):
            kubectl("delete", "ingress", "nginx", "-n", self.namespace)
            releases = self.deployctl("history", "-e", "lab").stdout
            refused = self.deployctl("promote", "-e", "lab", "--yes")
            self.assert_exit(refused, 7)
            self.assertIn("ingress/nginx is gone: somebody has deleted it", refused.stderr)
            self.assertEqual(self.deployctl("history", "-e", "lab").stdout.count("\n"), releases.count("\n"))
            self.assert_exit(self.deployctl("undo", "-e", "lab", "--yes"), 0)
            self.assertIsNotNone(self.route("nginx"))
            self.assert_no_canary()
        with self.subTest("a class of another controller"):
            manifest = self.folder / "deployctl.yaml"
            manifest.write_text(manifest.read_text(encoding="utf-8").replace("class: nginx", f"class: {self.namespace}"),
                                encoding="utf-8")
            self.commit("another class")
            path = "/apis/networking.k8s.io/v1/ingressclasses"
            other = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": self.namespace},
                     "spec": {"controller": "traefik.io/ingress-controller"}}
            self.assertEqual(self.api.send("POST", path, other)[0], 201)
            self.addCleanup(kubectl, "delete", "ingressclass", self.namespace, "--wait=false")
            refused = self.rollout(7)
            self.assertIn(f"its class {self.namespace} is of the controller traefik.io/ingress-controller", refused.stderr)
            self.assert_no_canary()

    def assert_headers_lead_to_the_canaries(self):
        annotations = self.get("ingress", "nginx-canary")["metadata"]["annotations"]
        self.assertEqual({name.removeprefix(ANNOTATION): value for name, value in annotations.items()},
                         {"canary": "true", "canary-weight": "20", "canary-by-header": "X-Canary",
                          "canary-by-header-value": "always", "canary-by-cookie": "canary",
                          "affinity-canary-behavior": "legacy"})
        chosen = self.route("gateway")["spec"]["rules"][0]
        self.assertEqual(chosen["matches"][0]["headers"], [{"type": "Exact", "name": "X-Canary", "value": "always"}])
        self.assertEqual([each["name"] for each in chosen["backendRefs"]], ["gateway-canary"])
        chosen = self.route("istio")["spec"]["http"][0]
        self.assertEqual([match["headers"] for match in chosen["match"]],
                         [{"x-canary": {"exact": "always"}},
                          {"cookie": {"regex": "^(.*?;\\s*)?canary=always(;.*)?$"}}])
        self.assertEqual([each["destination"]["host"] for each in chosen["route"]], ["istio-canary"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
