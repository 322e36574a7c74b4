"""What deployctl generates for a Go service is taken by its real readers: both builders, and the API server."""

import os
import unittest

from harness import ProjectTest, get_json, kubectl, registry, run

PORT = 30412

MAIN = """package main

import (
	"encoding/json"
	"net/http"
	"os"
)

func main() {
	answer := func(w http.ResponseWriter, r *http.Request) {
		file, _ := os.ReadFile("/etc/app/app.yaml")
		json.NewEncoder(w).Encode(map[string]string{
			"level": os.Getenv("LOG_LEVEL"), "secret": os.Getenv("TOKEN"), "file": string(file)})
	}
	http.HandleFunc("/", answer)
	http.ListenAndServe(":8080", nil)
}
"""

MANIFEST = f"""project: e2e-generated
registry: {registry()}/e2e-generated
services:
  api:
    stack: go
    port: 8080
    health: /health
    env: {{LOG_LEVEL: info}}
    secrets: {{TOKEN: "env:E2E_TOKEN"}}
    files: {{/etc/app/app.yaml: app.yaml}}
    volumes: {{data: {{mount: /var/lib/app, size: 1Gi}}}}
    resources: {{cpu: 50m, memory: 64Mi}}
    service: {{type: NodePort, node_port: {PORT}}}
    ingress: {{host: api.example.com, tls: api-tls}}
environments:
  base:
    namespace: NAMESPACE
  lab:
    namespace: NAMESPACE
    services:
      api: {{env: {{LOG_LEVEL: debug}}, volumes: null, scale: {{min: 2, max: 3, cpu: 80}}, resources: {{cpu: 20m}}}}
"""


class GeneratedFiles(ProjectTest):
    namespace = "e2e-generated"

    def setUp(self):
        super().setUp()
        self.write("go.mod", "module example.com/api\n\ngo 1.19\n")
        self.write("main.go", MAIN)
        self.write("app.yaml", "greeting: hello\n")
        self.write("deployctl.yaml", MANIFEST.replace("NAMESPACE", self.namespace))
        self.assert_exit(self.deployctl("generate"), 0)
        self.commit()

    def test_the_dockerfile_builds_with_both_builders(self):
        for buildkit in ("1", "0"):
            with self.subTest(buildkit=buildkit):
                built = run(["docker", "build", "-t", "e2e-generated:both", "."], cwd=self.folder,
                            env={"DOCKER_BUILDKIT": buildkit})
                self.assertEqual(built.code, 0, built)
        run(["docker", "rmi", "e2e-generated:both"])

    def test_the_objects_are_taken_by_the_api_server_and_run(self):
        token = {"E2E_TOKEN": "s3cr3t-canary"}
        kubectl("create", "namespace", self.namespace)
        for environment in (["-e", "base"], ["-e", "lab"]):
            with self.subTest(environment=environment):
                # The base has a volume, the environment an autoscaler instead: between them every kind is asked about.
                plan = self.deployctl("plan", *environment, env=token)
                self.assert_exit(plan, 0)
                self.assertNotIn("s3cr3t-canary", plan.stdout + plan.stderr)
        for kind in ("configmap/", "service/api", "deployment/api", "horizontalpodautoscaler/api", "ingress/api"):
            self.assertIn(kind, plan.stdout)
        released = self.deployctl("release", "-e", "lab", "--yes", env=token)
        self.assert_exit(released, 0)
        self.assertNotIn("s3cr3t-canary", released.stdout + released.stderr)
        self.assertEqual(get_json(PORT, "/"), {"level": "debug", "secret": "s3cr3t-canary", "file": "greeting: hello\n"})
        again = self.deployctl("plan", "-e", "lab", env=token)
        self.assertIn("0 to create, 0 to update", again.stdout)


if __name__ == "__main__":
    os.environ.pop("E2E_TOKEN", None)
    unittest.main(verbosity=2)
