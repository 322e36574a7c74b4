"""`deployctl image` against the real registry and engine; skopeo and docker are the independent readers."""

import base64
import json
import os
import pathlib
import pty
import shutil
import signal
import sys
import tempfile
import threading
import unittest

from harness import DEPLOYCTL, SOURCE, registry, run

sys.path.insert(0, str(SOURCE / "tests/support"))
from oci_layout import MANIFEST, Layout, tar_of  # noqa: E402

BASE = tar_of({"etc/os-release": b"ID=tiny\n", "bin/sh": (b"#" * 200_000, 0o755)})


def app(version):
    return tar_of({"app": (version * 50_000, 0o755), "conf": b"a=" + version + b"\n"})


class ImageTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-e2e-images-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        # A repository of this run's own: what an earlier one left there would count as there already.
        test = self.id().rsplit(".", 1)[-1].replace("_", "-")[-60:].strip("-")
        self.repository = f"{registry()}/images/{test}-{os.getpid()}"
        self.layout = Layout(self.folder / "layout")
        # Nothing is found in a cache that an earlier run filled.
        self.env = {"XDG_CACHE_HOME": str(self.folder / "cache")}

    def image(self, *arguments, code=0):
        done = run([DEPLOYCTL, "image", *arguments], cwd=self.folder, env=self.env)
        self.assertEqual(done.code, code, done)
        return done

    def skopeo(self, *arguments):
        done = run(["skopeo", *arguments], cwd=self.folder)
        self.assertEqual(done.code, 0, done)
        return done.stdout

    def inspected(self, reference):
        return json.loads(self.skopeo("inspect", "--tls-verify=false", f"docker://{reference}"))

    def make_image(self, name, version=b"1", **more):
        return self.layout.image([BASE, app(version)], {"Cmd": ["/app"]}, compress=True, name=name, **more)

    def make_index(self, name):
        return self.layout.index([self.make_image(None, architecture=one) for one in ("amd64", "arm64")], name=name)


class Import(ImageTest):
    def test_an_image_in_a_layout_is_pushed_and_read_by_skopeo(self):
        image = self.make_image("v1")
        done = self.image("import", "oci:layout:v1", f"{self.repository}:v1")
        self.assertEqual(done.stdout, f"{self.repository}:v1@{image['digest']}\n")
        self.assertEqual(self.inspected(f"{self.repository}:v1")["Digest"], image["digest"])
        self.assertIn("unchanged", self.image("import", "oci:layout:v1", f"{self.repository}:v1").stderr)

    def test_an_index_is_pushed_with_all_its_images(self):
        index = self.make_index("all")
        self.image("import", "oci:layout:all", f"{self.repository}:all")
        raw = self.skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{self.repository}:all")
        self.assertEqual(len(json.loads(raw)["manifests"]), 2)
        self.skopeo("copy", "--all", "--src-tls-verify=false", f"docker://{self.repository}@{index['digest']}", "oci:read")

    def test_one_platform_of_an_index_is_pushed_when_it_is_asked_for(self):
        self.make_index("all")
        self.image("import", "oci:layout:all", f"{self.repository}:arm", "--platform", "linux/arm64")
        self.assertEqual(self.inspected(f"{self.repository}:arm")["Architecture"], "arm64")

    def test_archives_of_skopeo_are_pushed(self):
        image = self.make_image("v1")
        self.skopeo("copy", "oci:layout:v1", "oci-archive:image.tar:v1")
        self.image("import", "oci-archive:image.tar", f"{self.repository}:oci")
        self.assertEqual(self.inspected(f"{self.repository}:oci")["Digest"], image["digest"])
        self.skopeo("copy", "oci:layout:v1", "docker-archive:docker.tar:shop/api:v1")
        run(["gzip", "docker.tar"], cwd=self.folder)
        self.image("import", "docker-archive:docker.tar.gz:shop/api:v1", f"{self.repository}:docker")
        self.image("diff", "oci:layout:v1", f"{self.repository}:docker")

    def test_an_image_that_docker_saved_is_pushed(self):
        (self.folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\nCMD [\"/x\"]\n")
        tag = f"{self.repository}:built"
        self.assertEqual(run(["docker", "build", "-q", "-t", tag, "."], cwd=self.folder).code, 0)
        self.assertEqual(run(["docker", "save", "-o", "saved.tar", tag], cwd=self.folder).code, 0)
        self.image("import", "docker-archive:saved.tar", tag)
        self.assertEqual(run(["docker", "rmi", tag]).code, 0)
        self.assertEqual(run(["docker", "pull", "-q", tag]).code, 0)

    def test_the_layers_of_a_base_in_the_same_registry_are_mounted(self):
        base = f"{self.repository}/base:1"
        self.layout.image([BASE], name="base", compress=True)
        self.image("import", "oci:layout:base", base)
        self.layout.image([BASE, app(b"1")], {"Labels": {"org.opencontainers.image.base.name": base}}, compress=True, name="v1")
        self.assertIn("in 2 blobs sent", self.image("import", "oci:layout:v1", f"{self.repository}:v1").stderr)
        self.assertEqual(len(self.inspected(f"{self.repository}:v1")["Layers"]), 2)

    def test_a_damaged_blob_is_never_behind_a_tag(self):
        self.make_image("v1")
        blobs = sorted((self.folder / "layout/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
        data = bytearray(blobs[-1].read_bytes())
        data[100] ^= 1
        blobs[-1].write_bytes(data)
        done = self.image("import", "oci:layout:v1", f"{self.repository}:broken", code=1)
        self.assertIn(blobs[-1].name[:12], done.stderr)
        missing = run(["skopeo", "inspect", "--tls-verify=false", f"docker://{self.repository}:broken"])
        self.assertNotEqual(missing.code, 0)

    def test_a_docker_archive_does_not_need_the_engine_to_import(self):
        self.make_image("v1")
        self.skopeo("copy", "oci:layout:v1", "docker-archive:docker.tar:shop/api:v1")
        self.env["DOCKER_HOST"] = "unix:///nonexistent/docker.sock"
        self.image("import", "docker-archive:docker.tar", f"{self.repository}:v1")


class MaxSize(ImageTest):
    def test_an_image_that_is_too_large_is_neither_built_nor_pushed(self):
        (self.folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile deployctl.yaml /\nCMD [\"/x\"]\n")
        (self.folder / "deployctl.yaml").write_text(
            f"project: images\nservices:\n  api:\n    image: {self.repository}\n    stack: dockerfile\n    build: {{max_size: 10}}\n")
        self.addCleanup(run, ["docker", "rmi", f"{self.repository}:v1"])
        for command in ("build", "push"):
            done = run([DEPLOYCTL, command, "--tag", "v1"], cwd=self.folder, env=self.env)
            self.assertEqual(done.code, 1, done)
            self.assertRegex(done.stderr, r"the image has \d+ B and build.max_size allows 10\b")
        self.image("inspect", f"{self.repository}:v1", code=1)


class Export(ImageTest):
    def setUp(self):
        super().setUp()
        self.make_image("v1")
        self.image("import", "oci:layout:v1", f"{self.repository}:v1")

    def test_a_layout_is_read_by_skopeo(self):
        self.image("export", f"{self.repository}:v1", "oci:out")
        read = json.loads(self.skopeo("inspect", "oci:out:v1"))
        self.assertEqual(read["Digest"], self.inspected(f"{self.repository}:v1")["Digest"])
        self.skopeo("copy", "oci:out:v1", "dir:copied")

    def test_a_docker_archive_is_loaded_by_docker(self):
        self.image("export", f"{self.repository}:v1", "docker-archive:out.tar")
        done = run(["docker", "load", "-i", "out.tar"], cwd=self.folder)
        self.assertEqual(done.code, 0, done)
        self.assertIn(f"{self.repository}:v1", done.stdout)
        listed = run(["docker", "inspect", "--format", "{{json .Config.Cmd}}", f"{self.repository}:v1"])
        self.assertEqual(listed.stdout.strip(), '["/app"]')
        run(["docker", "rmi", f"{self.repository}:v1"])

    def test_archives_are_read_by_skopeo(self):
        digest = self.inspected(f"{self.repository}:v1")["Digest"]
        self.image("export", f"{self.repository}:v1", "oci-archive:out.tar")
        self.assertEqual(json.loads(self.skopeo("inspect", "oci-archive:out.tar"))["Digest"], digest)
        self.image("export", f"{self.repository}:v1", "docker-archive:docker.tar:shop/api:v1")
        self.assertEqual(json.loads(self.skopeo("inspect", "docker-archive:docker.tar"))["Architecture"], "amd64")

    def test_all_platforms_are_exported_byte_for_byte(self):
        index = self.make_index("all")
        self.image("import", "oci:layout:all", f"{self.repository}:all")
        done = self.image("export", f"{self.repository}:all", "oci:out:all")
        self.assertEqual(done.stdout, f"oci:out:all@{index['digest']}\n")
        self.skopeo("copy", "--all", "oci:out:all", "dir:copied")

    def test_memory_does_not_follow_the_size_of_a_layer(self):
        big = tar_of({"big": os.urandom(96 << 20)})
        self.layout.image([big], name="big")
        self.image("import", "oci:layout:big", f"{self.repository}:big")
        for target in ("oci:out:big", "oci-archive:out.tar"):
            done = run(["/usr/bin/time", "-f", "%M", DEPLOYCTL, "image", "export", f"{self.repository}:big", target, "-q"],
                       cwd=self.folder, env=self.env)
            self.assertEqual(done.code, 0, done)
            self.assertLess(int(done.stderr.split()[-1]), 40 << 10, done)


class Look(ImageTest):
    def setUp(self):
        super().setUp()
        for name, version in (("v1", b"1"), ("v2", b"22")):
            self.make_image(name, version)
            self.image("import", f"oci:layout:{name}", f"{self.repository}:{name}")

    def test_inspect_agrees_with_skopeo(self):
        theirs = self.inspected(f"{self.repository}:v1")
        ours = json.loads(self.image("inspect", f"{self.repository}:v1", "--output", "json").stdout)
        self.assertEqual(ours["digest"], theirs["Digest"])
        self.assertEqual([layer["digest"] for layer in ours["images"][0]["layers"]], theirs["Layers"])
        self.assertEqual(ours["images"][0]["config"]["command"], ["/app"])

    def test_tags_agree_with_skopeo(self):
        theirs = json.loads(self.skopeo("list-tags", "--tls-verify=false", f"docker://{self.repository}"))["Tags"]
        self.assertEqual(sorted(self.image("tags", self.repository).stdout.split()), sorted(theirs))
        ours = json.loads(self.image("tags", self.repository, "--output", "json").stdout)
        self.assertEqual(sorted(ours["tags"]), sorted(theirs))

    def test_tags_stand_as_people_expect_versions_and_those_of_referrers_apart(self):
        about = "sha256-" + "0" * 64
        for tag in ("v10", "v9", "v10-rc1", about):
            self.image("import", "oci:layout:v1", f"{self.repository}:{tag}")
        done = self.image("tags", self.repository)
        self.assertEqual(done.stdout.split(), ["v1", "v2", "v9", "v10-rc1", "v10"])
        self.assertIn("1 tag of what refers to images (SBOMs, signatures) is left out: --all shows it", done.stderr)
        self.assertEqual(self.image("tags", self.repository, "--all").stdout.split()[-1], about)
        self.assertEqual(json.loads(self.image("tags", self.repository, "--output", "json").stdout)["referrerTags"], [about])

    def test_diff_of_two_images_in_the_registry(self):
        done = self.image("diff", f"{self.repository}:v1", f"{self.repository}:v2", "--output", "json", code=4)
        compared = json.loads(done.stdout)
        self.assertEqual([(file["change"], file["path"]) for file in compared["files"]],
                         [("changed", "app"), ("changed", "conf")])
        self.assertEqual(compared["files"][0]["sizeDelta"], 50_000)
        self.assertEqual([layer["change"] for layer in compared["layers"]], ["shared", "removed", "added"])
        self.assertIn("+48.8 KiB", self.image("diff", f"{self.repository}:v1", f"{self.repository}:v2", code=4).stdout)
        self.image("diff", f"{self.repository}:v1", "oci:layout:v1")

    def test_what_is_not_there_is_said(self):
        self.assertIn("not", self.image("inspect", f"{self.repository}:v9", code=1).stderr)
        self.image("tags", f"{self.repository}/nothing", code=1)


class Verify(ImageTest):
    """Signatures as cosign lays them down in its two layouts; openssl makes them."""

    def setUp(self):
        super().setUp()
        self.digest = self.make_image("v1")["digest"]
        self.image("import", "oci:layout:v1", f"{self.repository}:v1")
        for name in ("ours", "theirs"):
            self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
            self.openssl("pkey", "-in", f"{name}.key", "-pubout", "-out", f"{name}.pub")

    def openssl(self, *arguments):
        done = run(["openssl", *arguments], cwd=self.folder)
        self.assertEqual(done.code, 0, done)

    def signature(self, key, message):
        (self.folder / "message").write_bytes(message)
        self.openssl("dgst", "-sha256", "-sign", f"{key}.key", "-out", "signature", "message")
        return base64.b64encode((self.folder / "signature").read_bytes()).decode()

    def artifact(self, layer, **more):
        empty = self.layout.blob(b"{}", "application/vnd.oci.empty.v1+json")
        return self.layout.document({"schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [layer], **more},
                                    MANIFEST)

    def lay_beside(self, name, descriptor):
        self.layout.named(descriptor, name)
        self.image("import", f"oci:layout:{name}", f"{self.repository}:{name}")

    def sign_under_a_tag(self, key):
        claim = json.dumps({"critical": {"identity": {"docker-reference": self.repository},
                                         "image": {"docker-manifest-digest": self.digest},
                                         "type": "cosign container image signature"}, "optional": None}).encode()
        layer = self.layout.blob(claim, "application/vnd.dev.cosign.simplesigning.v1+json")
        layer["annotations"] = {"dev.cosignproject.cosign/signature": self.signature(key, claim)}
        self.lay_beside(self.digest.replace(":", "-") + ".sig", self.artifact(layer))

    def sign_with_a_bundle(self, key):
        kind, predicate = "application/vnd.dev.sigstore.bundle.v0.3+json", "https://sigstore.dev/cosign/sign/v1"
        statement = json.dumps({"_type": "https://in-toto.io/Statement/v1", "predicateType": predicate, "predicate": {},
                                "subject": [{"digest": {"sha256": self.digest.removeprefix("sha256:")}}]}).encode()
        kind_of_statement = b"application/vnd.in-toto+json"
        signed = b"DSSEv1 %d %s %d %s" % (len(kind_of_statement), kind_of_statement, len(statement), statement)
        bundle = json.dumps({"mediaType": kind, "verificationMaterial": {"publicKey": {"hint": "ours"}}, "dsseEnvelope": {
            "payload": base64.b64encode(statement).decode(), "payloadType": kind_of_statement.decode(),
            "signatures": [{"sig": self.signature(key, signed)}]}}).encode()
        subject = {"mediaType": MANIFEST, "digest": self.digest, "size": 1}
        artifact = self.artifact(self.layout.blob(bundle, kind), artifactType=kind, subject=subject)
        self.lay_beside(self.digest.replace(":", "-"), self.layout.index([{**artifact, "artifactType": kind}]))

    def verify(self, code=0):
        return self.image("verify", f"{self.repository}:v1", "--key", "ours.pub", code=code)

    def test_nothing_is_verified_without_a_signature_by_the_key(self):
        self.assertIn("is not signed", self.verify(code=7).stderr)
        self.sign_under_a_tag("theirs")
        done = self.verify(code=7)
        self.assertIn("does not count: it was made with another key", done.stderr)
        self.assertIn("has no signature that was made with ours.pub", done.stderr)
        self.assertEqual(done.stdout, "")
        document = json.loads(self.image("verify", f"{self.repository}:v1", "--key", "ours.pub", "--output", "json",
                                         code=7).stdout)
        self.assertEqual([one["problem"] for one in document["signatures"]], ["it was made with another key"])
        self.sign_with_a_bundle("ours")
        self.assertEqual(self.verify().stdout, f"{self.repository}:v1@{self.digest}\n")

    def test_a_signature_under_a_tag_counts_for_its_image_only(self):
        self.sign_under_a_tag("ours")
        self.verify()
        self.make_image("v2", b"2")
        self.image("import", "oci:layout:v2", f"{self.repository}:v1")
        self.assertIn("is not signed", self.verify(code=7).stderr)

    def test_only_a_public_key_is_a_key(self):
        done = self.image("verify", f"{self.repository}:v1", "--key", "ours.key", code=3)
        self.assertIn("it is no public key", done.stderr)
        self.image("verify", "oci:layout:v1", "--key", "ours.pub", code=2)


class Copy(ImageTest):
    def setUp(self):
        super().setUp()
        self.index = self.make_index("all")
        self.image("import", "oci:layout:all", f"{self.repository}:all")

    def test_a_tag_is_copied_to_another_without_sending_a_blob(self):
        done = self.image("copy", f"{self.repository}:all", f"{self.repository}:stable")
        self.assertEqual(done.stdout, f"{self.repository}:stable@{self.index['digest']}\n")
        self.assertIn("0 B", done.stderr)
        self.assertIn("unchanged", self.image("copy", f"{self.repository}:all", f"{self.repository}:stable").stderr)

    def test_another_repository_gets_blobs_mounted(self):
        done = self.image("copy", f"{self.repository}:all", f"{self.repository}-other:all")
        self.assertIn("mounted", done.stderr)
        self.skopeo("copy", "--all", "--src-tls-verify=false", f"docker://{self.repository}-other:all", "dir:copied")

    def test_one_platform_is_copied(self):
        self.image("copy", f"{self.repository}:all", f"{self.repository}:arm", "--platform", "linux/arm64")
        self.assertEqual(self.inspected(f"{self.repository}:arm")["Architecture"], "arm64")

    def test_from_files_to_files_and_registries(self):
        self.image("copy", "oci:layout:all", "oci:second:all")
        self.image("copy", "oci:second:all", f"{self.repository}:again")
        self.image("copy", f"{self.repository}:again", "oci-archive:third.tar")
        self.assertEqual(self.image("diff", "oci-archive:third.tar", "oci:layout:all").code, 0)


class Delete(ImageTest):
    def setUp(self):
        super().setUp()
        image = self.make_image("v1", self.id().encode())
        self.digest = image["digest"]
        for tag in ("v1", "same"):
            self.image("import", "oci:layout:v1", f"{self.repository}:{tag}")

    def test_nothing_is_deleted_without_approval(self):
        done = self.image("delete", f"{self.repository}@{self.digest}", code=7)
        self.assertIn("--yes", done.stderr)
        self.assertIn("these tags go with it: same, v1", done.stderr)
        self.inspected(f"{self.repository}:v1")

    def test_ctrl_c_at_the_question_ends_the_run(self):
        process, terminal = pty.fork()
        if process == 0:
            os.execv(DEPLOYCTL, [DEPLOYCTL, "image", "delete", f"{self.repository}@{self.digest}"])
        too_late = threading.Timer(20, os.kill, (process, signal.SIGKILL))
        too_late.start()
        self.addCleanup(too_late.cancel)
        shown = b""
        try:
            while chunk := os.read(terminal, 1000):
                shown += chunk
                if shown.endswith(b"[y/N] "):
                    os.write(terminal, b"\x03")
        except OSError:  # the other end is closed
            pass
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 130, shown)
        self.image("inspect", f"{self.repository}@{self.digest}")

    def test_a_registry_that_deletes_no_tags_is_explained(self):
        done = self.image("delete", f"{self.repository}:v1", "--yes", code=7)
        self.assertIn(f"deployctl image delete {self.repository}@{self.digest}", done.stderr)
        self.assertIn("same", done.stderr)
        self.inspected(f"{self.repository}:v1")

    def test_a_manifest_goes_with_all_its_tags(self):
        done = self.image("delete", f"{self.repository}@{self.digest}", "--yes")
        self.assertIn("garbage", done.stderr)
        for tag in ("v1", "same"):
            self.image("inspect", f"{self.repository}:{tag}", code=1)

    def test_an_image_of_an_index_is_said_to_be_missed(self):
        index = self.make_index("all")
        self.image("import", "oci:layout:all", f"{self.repository}:all")
        child = json.loads((self.folder / "layout/blobs/sha256" / index["digest"].removeprefix("sha256:")).read_bytes())
        done = self.image("delete", f"{self.repository}@{child['manifests'][1]['digest']}", code=7)
        self.assertIn("would be incomplete: all", done.stderr)

    def test_what_refers_to_it_and_stays_is_said(self):
        index = self.make_index("all")
        self.image("import", "oci:layout:all", f"{self.repository}:all")
        child = json.loads((self.folder / "layout/blobs/sha256" / index["digest"].removeprefix("sha256:")).read_bytes())
        about = child["manifests"][0]["digest"].replace(":", "-")
        self.make_image("other", version=b"2")
        self.image("import", "oci:layout:other", f"{self.repository}:{about}.sbom")
        done = self.image("delete", f"{self.repository}@{index['digest']}", code=7)
        self.assertIn(f"what refers to it (SBOMs, signatures) stays, under these tags: {about}.sbom", done.stderr)


if __name__ == "__main__":
    unittest.main()
