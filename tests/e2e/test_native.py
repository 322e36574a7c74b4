"""What the native builder makes, read by everybody else: skopeo, docker, podman, and a node of the cluster."""

import json
import os
import shutil
import sys
import tempfile
import unittest
import urllib.request

from harness import SOURCE, ProjectTest, get_json, registry, run

sys.path.insert(0, str(SOURCE / "tests" / "check"))
import spdx  # noqa: E402

PORT, CPP_PORT = 30431, 30433
EM_X86_64, EM_AARCH64 = 62, 183
NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
SERVER = """\
package main

import (
	"encoding/json"
	"net/http"
	"os"
)

var version = "unset"

func main() {
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		_, certificates := os.Stat("/etc/ssl/certs/ca-certificates.crt")
		json.NewEncoder(w).Encode(map[string]any{"version": version, "user": os.Getuid(), "certificates": certificates == nil})
	})
	http.ListenAndServe(":8080", nil)
}
"""


class NativeBuilder(ProjectTest):
    namespace = "native-e2e"

    def setUp(self):
        super().setUp()
        self.cache = tempfile.mkdtemp(prefix="deployctl-native-cache-")
        self.addCleanup(shutil.rmtree, self.cache, ignore_errors=True)
        self.repository = f"{registry()}/native-e2e/{self._testMethodName.replace('_', '-')}"

    def succeed(self, *arguments, env=None):
        done = self.deployctl(*arguments, env={"XDG_CACHE_HOME": self.cache, **NO_ENGINE, **(env or {})})
        self.assert_exit(done, 0)
        return done

    def check(self, *argv):
        done = run(list(argv))
        self.assertEqual(done.code, 0, f"{argv}: {done}")
        return done.stdout

    SCRIPT = "#!/bin/sh\necho hello as $(id -u) from $(cat /srv/name)\n"

    def push(self, build, command="[/srv/hello]", port="", hello=SCRIPT):
        """A project with a program in it, built and pushed in two runs; the pinned reference."""
        self.write("dist/hello", hello)
        os.chmod(self.folder / "dist/hello", 0o755)
        self.write("dist/name", "the native builder\n")
        self.write("deployctl.yaml", f"project: shop\nservices:\n  api:\n    image: {self.repository}\n"
                   f"    build: {{builder: native, artifact: {{/srv: dist}}, {build}}}\n    command: {command}\n{port}")
        self.succeed("build", "--tag", "one")
        pushed = self.succeed("push", "--tag", "one").stdout.strip()
        self.assertRegex(pushed, r":one@sha256:[0-9a-f]{64}$")
        return pushed

    def push_base(self):
        base = f"{registry()}/native-e2e/base:1"
        self.check("skopeo", "copy", "-q", "--dest-tls-verify=false", f"--src-daemon-host={os.environ['DOCKER_HOST']}",
                   "docker-daemon:busybox:1.36", f"docker://{base}")
        return base

    def podman_pull(self, by_digest):
        """Into a store of its own: every layer is unpacked and held against its diffID."""
        store = tempfile.mkdtemp(prefix="deployctl-podman-")
        self.addCleanup(run, ["rm", "-rf", store])
        podman = ["podman", "--root", store + "/root", "--runroot", store + "/run", "--storage-driver", "vfs"]
        self.check(*podman, "pull", "-q", "--tls-verify=false", by_digest)
        seen = self.check(*podman, "image", "inspect", "--format", "{{.Digest}}", by_digest)
        self.assertEqual(seen.strip(), by_digest.split("@")[1])

    def docker_run(self, reference):
        self.addCleanup(run, ["docker", "image", "rm", "-f", reference])
        return self.check("docker", "run", "--rm", reference)

    def test_is_read_by_skopeo_docker_and_podman(self):
        base = self.push_base()
        pushed = self.push(f"runtime: \"{base}\"")
        digest = pushed.split("@")[1]
        by_digest = f"{self.repository}@{digest}"
        with self.subTest("skopeo reads it from the registry"):
            seen = json.loads(self.check("skopeo", "inspect", "--tls-verify=false", f"docker://{by_digest}"))
            self.assertEqual(seen["Digest"], digest)
            self.assertEqual(seen["Labels"]["org.opencontainers.image.base.name"], base)
            config = json.loads(self.check("skopeo", "inspect", "--config", "--tls-verify=false", f"docker://{by_digest}"))
            self.assertEqual(config["config"]["User"], "65532:65532")
            self.assertEqual(config["config"]["Entrypoint"], ["/srv/hello"])
        with self.subTest("the base's layers are kept byte for byte"):
            layers = [json.loads(self.check("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"))["layers"]
                      for name in (base, by_digest)]
            digests = [[layer["digest"] for layer in each] for each in layers]
            self.assertEqual(digests[1][:len(digests[0])], digests[0])
        with self.subTest("skopeo copies it into a layout and an archive, which docker loads"):
            layout, archive = self.folder / "layout", self.folder / "image.tar"
            self.check("skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{by_digest}", f"oci:{layout}:one")
            self.assertEqual((layout / "blobs/sha256" / digest.split(":")[1]).is_file(), True)
            self.check("skopeo", "copy", "-q", f"oci:{layout}:one", f"docker-archive:{archive}:native-e2e/loaded:one")
            self.check("docker", "load", "-q", "-i", str(archive))
            self.assertEqual(self.docker_run("native-e2e/loaded:one"), "hello as 65532 from the native builder\n")
        with self.subTest("docker pulls and runs it"):
            self.check("docker", "pull", "-q", by_digest)
            self.assertEqual(self.docker_run(by_digest), "hello as 65532 from the native builder\n")
        with self.subTest("podman pulls it"):
            self.podman_pull(by_digest)
        with self.subTest("pushing it again changes nothing"):
            again = self.succeed("push", "--tag", "one")
            self.assertIn("unchanged", again.stderr)
            self.assertEqual(again.stdout.strip(), pushed)

    def test_with_zstd_layers_is_pulled_by_podman(self):
        """Not by docker 20.10, which takes the layers for damaged tars."""
        pushed = self.push(f"runtime: \"{self.push_base()}\", compression: zstd")
        self.podman_pull(self.repository + "@" + pushed.split("@")[1])

    def test_for_two_platforms_is_an_index(self):
        pushed = self.push("platforms: [linux/amd64, linux/arm64]", hello="a program\n")
        raw = self.check("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{self.repository}:one")
        listed = json.loads(raw)
        self.assertEqual(listed["mediaType"], "application/vnd.oci.image.index.v1+json")
        self.assertEqual([entry["platform"]["architecture"] for entry in listed["manifests"]], ["amd64", "arm64"])
        self.check("docker", "pull", "-q", pushed)
        self.addCleanup(run, ["docker", "image", "rm", "-f", pushed])
        self.assertEqual(self.check("docker", "image", "inspect", "--format", "{{.Architecture}}", pushed), "amd64\n")

    def test_is_released_on_the_cluster_without_an_engine(self):
        self.write("go.mod", "module example.com/api\n\ngo 1.19\n")
        self.write("main.go", SERVER)
        self.write("deployctl.yaml", f"""\
project: native-e2e
services:
  api:
    image: {self.repository}
    build: {{builder: native, max_size: 20Mi}}
    port: 8080
    health: /health
    service: {{type: NodePort, port: 80, node_port: {PORT}}}
environments:
  e2e: {{namespace: {self.namespace}}}
""")
        self.commit("first")
        released = self.succeed("release", "-e", "e2e", "--yes", "--tag", "v1")
        self.assertRegex(released.stdout, r":v1@sha256:[0-9a-f]{64}\n")
        answer = get_json(PORT, "/")
        self.assertEqual(answer, {"version": "v1", "user": 65532, "certificates": True})
        again = self.succeed("release", "-e", "e2e", "--yes", "--tag", "v1")
        self.assertEqual(again.stdout, released.stdout)

    def unpacked(self, reference):
        """The layers of an image as skopeo copies them, one over the other in a folder."""
        layout, root = self.folder / "copied", self.folder / "root"
        shutil.rmtree(layout, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        self.check("skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{reference}", f"dir:{layout}")
        for layer in json.loads((layout / "manifest.json").read_text())["layers"]:
            self.check("tar", "-xf", str(layout / layer["digest"].split(":")[1]), "-C", str(root))
        return root

    @unittest.skipUnless(shutil.which("go"), "Go is not installed")
    def test_a_go_program_is_compiled_for_another_machine(self):
        self.write("go.mod", "module example.com/hello\n\ngo 1.19\n")
        self.write("main.go", 'package main\n\nimport ("fmt"; "runtime")\n\nfunc main() { fmt.Println("hello from " + runtime.GOARCH) }\n')
        self.write("deployctl.yaml", f"project: shop\nservices:\n  api:\n    image: {self.repository}\n"
                   "    build: {builder: native, platforms: [linux/amd64, linux/arm64]}\n    port: 8080\n")
        pushed = self.succeed("build", "--push", "--tag", "one").stdout.strip()
        listed = json.loads(self.check("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{self.repository}@{pushed.split('@')[1]}"))
        for entry, machine, emulator in zip(listed["manifests"], (EM_X86_64, EM_AARCH64), ("", "qemu-aarch64")):
            architecture = entry["platform"]["architecture"]
            with self.subTest(architecture):
                reference = f"{self.repository}@{entry['digest']}"
                config = json.loads(self.check("skopeo", "inspect", "--config", "--tls-verify=false", f"docker://{reference}"))
                self.assertEqual(config["architecture"], architecture)
                program = self.unpacked(reference) / config["config"]["Entrypoint"][0].lstrip("/")
                self.assertEqual(int.from_bytes(program.read_bytes()[18:20], "little"), machine)
                if not emulator or shutil.which(emulator):
                    said = self.check(*([emulator] if emulator else []), str(program))
                    self.assertEqual(said, f"hello from {architecture}\n")

    def attached(self, digest):
        """What refers to a manifest by the fallback tag: artifact type to document."""
        def read(path, accept="*/*"):
            request = urllib.request.Request(f"http://{self.repository.replace('/', '/v2/', 1)}/{path}", headers={"Accept": accept})
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        found = {}
        for entry in read("manifests/" + digest.replace(":", "-"), "application/vnd.oci.image.index.v1+json")["manifests"]:
            artifact = read("manifests/" + entry["digest"], "application/vnd.oci.image.manifest.v1+json")
            found[artifact["artifactType"]] = read("blobs/" + artifact["layers"][0]["digest"])
        return found

    @unittest.skipUnless(shutil.which("cmake") and shutil.which("ninja"), "CMake is not installed")
    def test_the_bundled_service_in_cpp_is_released_with_what_it_consists_of(self):
        base = f"{registry()}/native-e2e/cpp-base:1"
        self.check("skopeo", "copy", "-q", "--dest-tls-verify=false", f"--src-daemon-host={os.environ['DOCKER_HOST']}",
                   "docker-daemon:gcr.io/distroless/static-debian12:nonroot", f"docker://{base}")
        shutil.copytree(SOURCE / "examples/api-service", self.folder, dirs_exist_ok=True)
        manifest = (self.folder / "deployctl.yaml").read_text()
        for before, after in (("registry: 127.0.0.1:5000/demo", f"registry: {registry()}/native-e2e"), ("replicas: 3", "replicas: 1"),
                              ("gcr.io/distroless/static-debian12:nonroot", base), ("30080", str(CPP_PORT)),
                              ("namespace: demo", f"namespace: {self.namespace}")):
            self.assertIn(before, manifest)
            manifest = manifest.replace(before, after)
        self.write("deployctl.yaml", manifest)
        self.commit("first")
        self.repository = f"{registry()}/native-e2e/api"
        released = self.succeed("release", "-e", "prod", "--yes", "--tag", "v1", "--builder", "native", "--sbom", "--provenance")
        pushed = released.stdout.strip().splitlines()[-1]
        digest = pushed.split("@")[1]
        with self.subTest("it runs on the cluster"):
            self.assertIn("Hello from the API service", json.dumps(get_json(CPP_PORT, "/api/hello")))
        with self.subTest("docker runs it"):
            self.check("docker", "pull", "-q", pushed)
            self.addCleanup(run, ["docker", "image", "rm", "-f", pushed])
            self.assertIn("v1", self.check("docker", "run", "--rm", pushed, "--version"))
        with self.subTest("the program is static"):
            config = json.loads(self.check("skopeo", "inspect", "--config", "--tls-verify=false", f"docker://{self.repository}@{digest}"))
            program = self.unpacked(f"{self.repository}@{digest}") / config["config"]["Entrypoint"][0].lstrip("/")
            self.assertIn("There is no dynamic section", self.check("readelf", "-d", str(program)))
        documents = self.attached(digest)
        with self.subTest("the SBOM keeps the rules and lists the program"):
            sbom = documents["application/spdx+json"]
            self.assertEqual(spdx.findings(sbom), [])
            self.assertIn("./" + config["config"]["Entrypoint"][0].lstrip("/"), [each["fileName"] for each in sbom["files"]])
        with self.subTest("the provenance names the base by its digest, and the commit"):
            resolved = documents["application/vnd.in-toto+json"]["predicate"]["buildDefinition"]["resolvedDependencies"]
            theirs = json.loads(self.check("skopeo", "inspect", "--tls-verify=false", f"docker://{base}"))["Digest"]
            self.assertIn({"sha256": theirs.split(":")[1]}, [each["digest"] for each in resolved])
            head = run(["git", "rev-parse", "HEAD"], cwd=self.folder).stdout.strip()
            self.assertIn({"gitCommit": head}, [each["digest"] for each in resolved])


if __name__ == "__main__":
    unittest.main()
