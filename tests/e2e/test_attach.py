"""SBOM and provenance beside what was pushed, read back with nothing of ours: HTTP and skopeo."""

import concurrent.futures
import hashlib
import json
import sys
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

    def project(self, dockerfile):
        self.write("Dockerfile", dockerfile)
        self.write("deployctl.yaml", tiny_manifest(PROJECT, health=""))
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
        self.project(GO_DOCKERFILE)
        self.write("untracked.txt", "dirty\n")
        _, digest = self.push(*BOTH)
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


if __name__ == "__main__":
    unittest.main()
