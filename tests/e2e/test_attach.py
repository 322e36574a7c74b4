"""SBOM and provenance beside what was pushed, read back with nothing of ours: HTTP and skopeo."""

import concurrent.futures
import contextlib
import hashlib
import http.client
import http.server
import json
import sys
import threading
import unittest
import urllib.error
import urllib.request

from harness import SOURCE, ProjectTest, registry, run, tiny_manifest

sys.path.insert(0, str(SOURCE / "tests" / "check"))
import spdx  # noqa: E402

PROJECT = "e2e-attach"
SPDX = "application/spdx+json"
STATEMENT = "application/vnd.in-toto+json"
BOTH = ("--sbom", "--provenance")
MANIFEST_TYPES = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"

DEBIAN_DOCKERFILE = """FROM debian:bookworm-slim
COPY index.html /www/index.html
USER 65532:65532
CMD ["sleep", "1000"]
"""

GO_DOCKERFILE = """FROM golang:1.19-bookworm AS build
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -buildvcs=false -o /hello .
FROM scratch
COPY --from=build /hello /hello
ENTRYPOINT ["/hello"]
"""


class RefusingRegistry(http.server.BaseHTTPRequestHandler):
    """The lab's registry, but for manifests that have a subject."""

    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "PUT" and "/manifests/" in self.path and b'"subject"' in body:
            return self.answer(400, [], b'{"errors":[{"code":"MANIFEST_INVALID","message":"no subjects here"}]}')
        with contextlib.closing(http.client.HTTPConnection(registry(), timeout=30)) as connection:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            got = connection.getresponse()
            return self.answer(got.status, got.getheaders(), got.read(), got.getheader("Content-Length"))

    def answer(self, status, headers, body, length=None):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = forward


def fetch(path, accept="*/*"):
    request = urllib.request.Request(f"http://{registry()}/v2/{path}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def manifest(repository, reference):
    return json.loads(fetch(f"{repository}/manifests/{reference}", MANIFEST_TYPES))


def referrers(repository, digest):
    """The fallback tag's index: the lab's registry has no referrers API."""
    try:
        return manifest(repository, digest.replace(":", "-"))["manifests"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise


class Attach(ProjectTest):
    def setUp(self):
        super().setUp()
        self.write("index.html", "hello\n")
        self.repository = f"{PROJECT}/web"

    def project(self, dockerfile, build=""):
        self.write("Dockerfile", dockerfile)
        self.write("deployctl.yaml", tiny_manifest(PROJECT, health="", extra=build))
        self.commit()

    def push(self, *arguments):
        done = self.deployctl("build", "--push", *arguments)
        self.assert_exit(done, 0)
        return done, done.stdout.strip().split("@")[1]

    def document(self, digest, media_type):
        """The one document of that type attached to the digest, and its manifest."""
        found = [each for each in referrers(self.repository, digest) if each.get("artifactType") == media_type]
        self.assertEqual(len(found), 1, found)
        artifact = manifest(self.repository, found[0]["digest"])
        self.assertEqual(artifact["subject"]["digest"], digest)
        self.assertEqual(artifact["artifactType"], media_type)
        self.assertEqual(artifact["config"]["mediaType"], "application/vnd.oci.empty.v1+json")
        self.assertEqual(fetch(f"{self.repository}/blobs/{artifact['config']['digest']}"), b"{}")
        layer = artifact["layers"][0]
        self.assertEqual(layer["mediaType"], media_type)
        content = fetch(f"{self.repository}/blobs/{layer['digest']}")
        self.assertEqual("sha256:" + hashlib.sha256(content).hexdigest(), layer["digest"])
        return json.loads(content), artifact

    def test_a_debian_image_gets_both_documents_once(self):
        self.project(DEBIAN_DOCKERFILE)
        first, digest = self.push(*BOTH)
        self.assertIn("2 documents attached", first.stderr)

        with self.subTest("the SBOM keeps the rules and knows files and packages"):
            sbom, artifact = self.document(digest, SPDX)
            self.assertEqual(spdx.findings(sbom), [])
            packages = {each["name"]: each for each in sbom["packages"]}
            self.assertIn("bash", packages)
            self.assertIn("pkg:deb/debian/bash@", packages["bash"]["externalRefs"][0]["referenceLocator"])
            files = {each["fileName"]: each["SPDXID"] for each in sbom["files"]}
            self.assertIn("./www/index.html", files)
            hello = next(each for each in sbom["files"] if each["fileName"] == "./www/index.html")
            self.assertIn(hashlib.sha256(b"hello\n").hexdigest(), [c["checksumValue"] for c in hello["checksums"]])
            owner = [r["spdxElementId"] for r in sbom["relationships"]
                     if r["relatedSpdxElement"] == files["./usr/bin/env"] or
                     r["relatedSpdxElement"] == files.get("./bin/bash")]
            self.assertTrue(owner[0].startswith("SPDXRef-deb-"), owner)
            self.assertEqual(artifact["annotations"]["org.opencontainers.image.created"],
                             sbom["creationInfo"]["created"])

        with self.subTest("the provenance names commit, base and builder"):
            statement, _ = self.document(digest, STATEMENT)
            self.assertEqual(statement["subject"][0]["digest"]["sha256"], digest.split(":")[1])
            definition = statement["predicate"]["buildDefinition"]
            source = definition["resolvedDependencies"][0]
            head = run(["git", "rev-parse", "HEAD"], cwd=self.folder).stdout.strip()
            self.assertEqual(source["digest"], {"gitCommit": head})
            self.assertEqual(source["annotations"], {"dirty": False})
            self.assertIn("docker.io/library/debian:bookworm-slim",
                          [each["name"] for each in definition["resolvedDependencies"]])
            self.assertTrue(statement["predicate"]["runDetails"]["builder"]["id"].startswith(
                "https://deployctl.dev/deployctl@"))

        with self.subTest("pushing the same again attaches nothing"):
            again, same = self.push(*BOTH)
            self.assertEqual(same, digest)
            self.assertIn("0 documents attached", again.stderr)
            self.assertEqual(len(referrers(self.repository, digest)), 2)

        with self.subTest("skopeo reads the artifact"):
            name = next(each["digest"] for each in referrers(self.repository, digest))
            raw = run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{registry()}/{self.repository}@{name}"])
            self.assertEqual(raw.code, 0, raw)
            self.assertEqual(json.loads(raw.stdout)["subject"]["digest"], digest)

        with self.subTest("image sbom prints what was attached"):
            printed = self.deployctl("image", "sbom", f"{registry()}/{self.repository}@{digest}")
            self.assert_exit(printed, 0)
            self.assertEqual(json.loads(printed.stdout), sbom)

    def test_a_go_program_tells_its_modules(self):
        self.write("go.mod", "module example.com/hello\n\ngo 1.19\n")
        self.write("main.go", 'package main\n\nfunc main() { println("hello") }\n')
        self.project(GO_DOCKERFILE, build="    build: {sbom: true, provenance: true}\n")
        self.write("untracked.txt", "dirty\n")
        _, digest = self.push()
        sbom, _ = self.document(digest, SPDX)
        self.assertEqual(spdx.findings(sbom), [])
        urls = [p["externalRefs"][0]["referenceLocator"] for p in sbom["packages"] if "externalRefs" in p]
        self.assertIn("pkg:golang/example.com/hello", urls)
        self.assertTrue(any(url.startswith("pkg:golang/stdlib@1.19") for url in urls), urls)
        links = {r["relationshipType"] for r in sbom["relationships"]}
        self.assertLessEqual({"GENERATED_FROM", "STATIC_LINK"}, links)
        statement, _ = self.document(digest, STATEMENT)
        source = statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]
        self.assertEqual(source["annotations"], {"dirty": True})

    def test_a_native_image_of_two_platforms_gets_a_list_for_each(self):
        self.write("deployctl.yaml", f"""project: {PROJECT}
registry: {registry()}/{PROJECT}
services:
  web:
    stack: go
    port: 8080
    build: {{builder: native, platforms: [linux/amd64, linux/arm64], sbom: true, provenance: true}}
""")
        self.write("go.mod", "module example.com/hello\n\ngo 1.19\n")
        self.write("main.go", 'package main\n\nfunc main() { println("hello") }\n')
        self.commit()
        _, digest = self.push()
        images = manifest(self.repository, digest)["manifests"]
        self.assertEqual(len(images), 2)
        for image in images:
            sbom, _ = self.document(image["digest"], SPDX)
            self.assertEqual(spdx.findings(sbom), [])
            self.assertIn("example.com/hello", [each["name"] for each in sbom["packages"]])
        with self.subTest("a copy with referrers takes all of them along"):
            copied = self.deployctl("image", "copy", "--with-referrers", f"{registry()}/{self.repository}@{digest}",
                                    f"{registry()}/{self.repository}-copy:1")
            self.assert_exit(copied, 0)
            for each in [digest, *(image["digest"] for image in images)]:
                self.assertEqual(sorted(entry["digest"] for entry in referrers(self.repository + "-copy", each)),
                                 sorted(entry["digest"] for entry in referrers(self.repository, each)))
        statement, _ = self.document(digest, STATEMENT)
        self.assertEqual([each["digest"]["sha256"] for each in statement["subject"]],
                         [each.split(":")[1] for each in [digest, *(image["digest"] for image in images)]])
        self.assertTrue(statement["predicate"]["buildDefinition"]["buildType"].endswith("/build/native/v1"))

    def test_two_at_once_are_both_there(self):
        self.project(DEBIAN_DOCKERFILE)
        _, digest = self.push()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            runs = [pool.submit(self.deployctl, "push", "--sbom", env={"XDG_CACHE_HOME": str(self.folder / "c1")}),
                    pool.submit(self.deployctl, "build", "--push", "--provenance")]
            for each in runs:
                self.assert_exit(each.result(), 0)
        types = sorted(each["artifactType"] for each in referrers(self.repository, digest))
        self.assertEqual(types, [SPDX, STATEMENT])

    def test_what_was_not_built_here_gets_no_provenance(self):
        self.project(DEBIAN_DOCKERFILE)
        self.push()
        done = self.deployctl("push", "--provenance")
        self.assert_exit(done, 0)
        self.assertIn("no provenance: the image was not built here with provenance asked for", done.stderr)


class AttachToARegistryThatRefuses(ProjectTest):
    def test_the_push_succeeds_and_says_so(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RefusingRegistry)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_port}"
        self.write("index.html", "hello\n")
        self.write("Dockerfile", DEBIAN_DOCKERFILE)
        self.write("deployctl.yaml", tiny_manifest(PROJECT, health="").replace(registry(), host))
        self.commit()
        done = self.deployctl("build", "--push", *BOTH)
        self.assert_exit(done, 0)
        self.assertRegex(done.stdout, r"^127\.0\.0\.1:\d+/e2e-attach/web:[^@]+@sha256:[0-9a-f]{64}\n$")
        self.assertIn("SBOM and provenance not attached to web", done.stderr)
        self.assertIn("no subjects here", done.stderr)


if __name__ == "__main__":
    unittest.main()
