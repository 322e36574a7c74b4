"""The native builder without engine and registry: what lies in the cache after `deployctl build` is looked into."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

DEPLOYCTL = os.environ["DEPLOYCTL"]
EPOCH = 1700000000
REFERENCE = "registry.example.com/team/api:test"
PLAIN = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SOURCE_DATE_EPOCH": str(EPOCH)}
ROOT = os.geteuid() == 0

MANIFEST = """\
project: shop
registry: registry.example.com/team
services:
  api:
    build:
      builder: native
      artifact: {artifact}
{more}    command: {command}
    port: 8080
"""


class Image:
    """An image as it lies in a cache."""

    def __init__(self, cache, manifest):
        self.cache = cache
        self.bytes = manifest.encode()
        self.digest = "sha256:" + hashlib.sha256(self.bytes).hexdigest()
        self.manifest = json.loads(manifest)
        self.config = json.loads(self.blob(self.manifest["config"]["digest"]))

    def blob(self, digest):
        data = (self.cache / "blobs" / digest.replace(":", "/")).read_bytes()
        assert "sha256:" + hashlib.sha256(data).hexdigest() == digest
        return data

    def tars(self):
        for layer in self.manifest["layers"]:
            data = self.blob(layer["digest"])
            if layer["mediaType"].endswith("+gzip"):
                yield gzip.decompress(data)
            else:
                yield subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout

    def members(self):
        found = {}
        for tar in self.tars():
            with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
                for member in archive:
                    found[member.name.rstrip("/")] = member
        return found

    def content(self):
        return b"".join(self.tars())


class NativeTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="deployctl-native-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        self.cache = self.folder / "cache"
        self.project = self.folder / "project"
        self.project.mkdir()

    def write(self, name, content="", mode=0o644, folder=None):
        path = (folder or self.project) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def declare(self, artifact="{/srv: dist}", command="[/srv/run]", more="", folder=None):
        self.write("deployctl.yaml", MANIFEST.format(artifact=artifact, command=command, more=more), folder=folder)

    def run_build(self, *arguments, cwd=None, cache=None, before=(), umask=-1, program=DEPLOYCTL, **variables):
        home = cache or self.cache
        environment = {**PLAIN, "HOME": str(self.folder), "XDG_CACHE_HOME": str(home), **variables}
        return subprocess.run([*before, program, "build", "--tag", "test", *arguments], cwd=cwd or self.project,
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, umask=umask,
                              check=False)

    def build(self, *arguments, **options):
        done = self.run_build(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def refusal(self, *arguments, **options):
        done = self.run_build(*arguments, **options)
        self.assertNotEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def images(self, cache=None, reference=REFERENCE):
        cache = (cache or self.cache) / "deployctl"
        name = hashlib.sha256(reference.encode()).hexdigest()
        record = json.loads((cache / "names" / (name + ".json")).read_text())
        self.assertEqual(record["reference"], reference)
        images = []
        for config in record["configs"]:
            stored = json.loads((cache / "images" / (config.split(":")[1] + ".json")).read_text())
            images.append(Image(cache, stored["manifest"]))
        return images

    def image(self, cache=None):
        return self.images(cache)[0]


class Contents(NativeTest):
    def test_the_image_is_what_the_project_says(self):
        self.write("dist/run", "a program\n", 0o700)
        self.write("dist/data/page.html", "hello", 0o600)
        self.declare(more="    volumes: {state: {mount: /var/lib/api, size: 1Gi}}\n")
        done = self.build()
        self.assertEqual(done.stdout, REFERENCE + "\n")
        image = self.image()
        settings = image.config["config"]
        self.assertEqual(settings["Entrypoint"], ["/srv/run"])
        self.assertEqual(settings["User"], "65532:65532")
        self.assertEqual(settings["ExposedPorts"], {"8080/tcp": {}})
        self.assertEqual(settings["Labels"]["org.opencontainers.image.title"], "shop/api")
        self.assertEqual(image.config["created"], "2023-11-14T22:13:20Z")
        self.assertEqual(len(image.config["rootfs"]["diff_ids"]), len(image.manifest["layers"]))
        self.assertEqual(len([entry for entry in image.config["history"] if not entry.get("empty_layer")]),
                         len(image.manifest["layers"]))
        for layer, diff_id in zip(image.tars(), image.config["rootfs"]["diff_ids"]):
            self.assertEqual("sha256:" + hashlib.sha256(layer).hexdigest(), diff_id)
        members = image.members()
        self.assertEqual(oct(members["srv/run"].mode), "0o755")
        self.assertEqual(oct(members["srv/data/page.html"].mode), "0o644")
        self.assertEqual(oct(members["tmp"].mode), "0o1777")
        self.assertEqual(members["var/lib/api"].uid, 65532)
        self.assertIn("etc/passwd", members)
        self.assertIn("usr/local/bin/drain-sleep", members)
        for member in members.values():
            self.assertEqual((member.mtime, member.uname, member.gname), (EPOCH, "", ""), member.name)

    def test_an_unchanged_tree_is_not_read_again(self):
        self.write("dist/run", "a program\n", 0o755)
        old = os.stat(self.project / "dist/run").st_ctime_ns
        self.declare()
        while os.stat(self.write("clock")).st_ctime_ns < old + 200_000_000:
            pass  # a file's times must be older than the clock's grain before they say anything
        first = self.build()
        again = self.build()
        self.assertIn("0 of 2 layers cached", first.stderr)
        self.assertIn("2 of 2 layers cached", again.stderr)
        self.assertIn("unchanged", again.stderr)
        self.write("dist/run", "another one\n", 0o755)
        self.assertIn("1 of 2 layers cached", self.build().stderr)

    def test_layers_can_be_zstd(self):
        self.write("dist/run", "a program\n" * 1000, 0o755)
        self.declare(more="      compression: zstd\n")
        self.build()
        image = self.image()
        for layer in image.manifest["layers"]:
            self.assertEqual(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+zstd")
        self.assertIn("srv/run", image.members())

    def test_several_platforms_make_an_index(self):
        self.write("dist/run", "a program\n", 0o755)
        self.declare(more="      platforms: [linux/amd64, linux/arm64]\n")
        self.build()
        architectures = [image.config["architecture"] for image in self.images()]
        self.assertEqual(architectures, ["amd64", "arm64"])

    def test_an_image_that_is_too_large_is_refused_with_a_report(self):
        self.write("dist/run", "a program\n", 0o755)
        self.write("dist/model.bin", os.urandom(300_000))
        self.declare(more="      max_size: 100Ki\n")
        said = self.refusal()
        self.assertIn("build.max_size allows 100Ki", said)
        self.assertIn("/srv/model.bin", said)
        self.assertIn("artifact /srv", said)


class Reproducible(NativeTest):
    """Row 40 of the test catalogue: nothing of the machine gets into the bytes."""

    FILES = {"b": "two", "a": "one", "dir/nested/deep": "three", "dir/z": "four", "é": "five"}

    def make(self, name, reverse=False, mode=0o644):
        folder = self.folder / name
        folder.mkdir()
        folder.chmod(0o755)
        items = sorted(self.FILES.items(), reverse=reverse)
        self.write("dist/run", "a program\n", mode | 0o100, folder=folder)
        for path, content in items:
            self.write("dist/" + path, content, mode, folder=folder)
        (folder / "dist/link").symlink_to("dir/z")
        self.declare(folder=folder)
        return folder

    def digest(self, name, folder, **options):
        cache = self.folder / ("cache-" + name)
        cache.mkdir()
        cache.chmod(0o777)
        self.build(cache=cache, cwd=options.pop("cwd", folder), **options)
        return self.image(cache).digest

    def test_the_same_input_gives_the_same_digest(self):
        here = self.make("here")
        other = self.make("elsewhere", reverse=True, mode=0o664)
        wanted = self.digest("plain", here)
        with self.subTest("another place, order of directories and permission bits"):
            self.assertEqual(self.digest("place", other), wanted)
        with self.subTest("umask"):
            self.assertEqual(self.digest("umask", here, umask=0o077), wanted)
        with self.subTest("time zone and locale"):
            self.assertEqual(self.digest("zone", here, TZ="Asia/Shanghai", LANG="tr_TR.UTF-8", LC_ALL="C"), wanted)
        with self.subTest("working directory"):
            self.assertEqual(self.digest("cwd", here, cwd=here / "dist/dir"), wanted)
        with self.subTest("one processor"):
            self.assertEqual(self.digest("processor", here, before=["taskset", "-c", "0"]), wanted)
        with self.subTest("user"):
            if ROOT:
                before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
                program = shutil.copy(DEPLOYCTL, self.folder / "deployctl")  # where that user may read it
                self.assertEqual(self.digest("user", here, before=before, program=program), wanted)
        with self.subTest("file times"):
            for path in sorted(here.rglob("*")):
                os.utime(path, (1, 1), follow_symlinks=False)
            self.assertEqual(self.digest("times", here), wanted)
        with self.subTest("but not another epoch"):
            self.assertNotEqual(self.digest("epoch", here, SOURCE_DATE_EPOCH="1"), wanted)

    def commit(self, time, folder):
        stamp = {"GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time, "GIT_CONFIG_GLOBAL": "/dev/null"}

        def git(*arguments):
            subprocess.run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments], cwd=folder,
                           env={**os.environ, **stamp}, check=True, capture_output=True)

        git("init", "--quiet")
        git("add", ".")
        git("commit", "--quiet", "--allow-empty", "-m", "a commit of " + time)
        return git

    def test_a_commit_that_changes_no_file_changes_no_layer(self):
        here = self.make("here")
        images = []
        for year in (2024, 2025):
            self.commit(f"{year}-05-06T07:08:09Z", here)
            self.build(cwd=here, SOURCE_DATE_EPOCH="")
            images.append(self.image())
        self.assertEqual(images[0].manifest["layers"], images[1].manifest["layers"])
        self.assertEqual({member.mtime for member in images[0].members().values()}, {0})
        self.assertEqual([image.config["created"] for image in images], ["2024-05-06T07:08:09Z", "2025-05-06T07:08:09Z"])

    def test_the_spelling_of_the_remote_does_not_show(self):
        here = self.make("here")
        git = self.commit("2024-05-06T07:08:09Z", here)
        git("remote", "add", "origin", "https://ada:s3cret@git.example.com/shop/api.git")
        self.build(cwd=here)
        wanted = self.image()
        self.assertEqual(wanted.config["config"]["Labels"]["org.opencontainers.image.source"],
                         "https://git.example.com/shop/api")
        git("remote", "set-url", "origin", "git@git.example.com:shop/api.git")
        self.build(cwd=here)
        self.assertEqual(self.image().digest, wanted.digest)
        git("remote", "set-url", "origin", str(self.folder / "somewhere.git"))
        self.build(cwd=here)
        self.assertNotIn(str(self.folder), json.dumps(self.image().config))

    @unittest.skipUnless(shutil.which("go"), "Go is not installed")
    def test_a_go_program_is_the_same_wherever_it_is_compiled(self):
        digests = []
        for name in ("one", "another/place"):
            folder = self.folder / name
            self.write("go.mod", "module example.com/api\n\ngo 1.19\n", folder=folder)
            self.write("main.go", 'package main\n\nvar version string\n\nfunc main() { println(version) }\n',
                       folder=folder)
            self.write("deployctl.yaml", "project: shop\nregistry: registry.example.com/team\n"
                       "services:\n  api:\n    build: {builder: native}\n    port: 8080\n", folder=folder)
            digests.append(self.digest(name.replace("/", "-"), folder, GOCACHE=str(self.folder / "go"), GOFLAGS="-p=2"))
        self.assertEqual(digests[0], digests[1])

    @unittest.skipUnless(shutil.which("go"), "Go is not installed")
    def test_builds_at_the_same_time_each_keep_their_own_program(self):
        self.write("go.mod", "module example.com/api\n\ngo 1.19\n")
        self.write("main.go", 'package main\n\nvar version string\n\nfunc main() { println("this is " + version) }\n')
        self.write("deployctl.yaml", "project: shop\nregistry: registry.example.com/team\n"
                   "services:\n  api:\n    build: {builder: native}\n    port: 8080\n")
        environment = {**PLAIN, "HOME": str(self.folder), "XDG_CACHE_HOME": str(self.cache),
                       "GOCACHE": str(self.folder / "go"), "GOFLAGS": "-p=2"}
        tags = [f"tag-{letter * 8}" for letter in "abcd"]
        runs = [subprocess.Popen([DEPLOYCTL, "build", "--tag", tag], cwd=self.project, env=environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for tag in tags]
        said = [run.communicate()[1] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0] * 4, said)
        self.assertIn("waiting for another build in", "".join(said))
        for tag in tags:
            content = self.images(reference=f"registry.example.com/team/api:{tag}")[0].content()
            self.assertEqual([other for other in tags if other.encode() in content], [tag])

    def test_an_epoch_that_is_no_number_is_refused(self):
        self.write("dist/run", "a program\n", 0o755)
        self.declare()
        self.assertIn("SOURCE_DATE_EPOCH is 'yesterday', not a number of seconds since 1970",
                      self.refusal(SOURCE_DATE_EPOCH="yesterday"))


class Nasties(NativeTest):
    """Row 41: what file systems hold and archives stumble over."""

    def setUp(self):
        super().setUp()
        self.write("dist/run", "a program\n", 0o755)
        self.declare()

    def test_long_names_links_and_loops_come_through(self):
        long = "/".join(["d" * 90] * 3) + "/" + "n" * 200
        self.write("dist/" + long, "far")
        self.write("dist/名前.txt", "name")
        os.link(self.project / "dist/run", self.project / "dist/zz-same")
        (self.project / "dist/loop").symlink_to("loop")
        (self.project / "dist/up").symlink_to("../../..")
        (self.project / "dist/absolute").symlink_to("/etc/hostname")
        (self.project / "dist/empty").mkdir()
        self.build()
        members = self.image().members()
        self.assertEqual(members["srv/" + long].size, 3)
        self.assertIn("srv/名前.txt", members)
        self.assertTrue(members["srv/zz-same"].islnk())
        self.assertEqual(members["srv/zz-same"].linkname, "srv/run")
        self.assertEqual(members["srv/loop"].linkname, "loop")
        self.assertEqual(members["srv/absolute"].linkname, "/etc/hostname")
        self.assertTrue(members["srv/empty"].isdir())
        for number, tar in enumerate(self.image().tars()):
            path = self.write(f"layer{number}.tar", tar)
            listed = subprocess.run(["tar", "-tf", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            self.assertEqual((listed.returncode, listed.stderr), (0, b""))

    def test_what_a_layer_cannot_hold_is_refused_by_name(self):
        dist = self.project / "dist"
        with self.subTest("a whiteout"):
            path = self.write("dist/.wh.gone")
            self.assertIn(".wh.gone: a name that starts with '.wh.' means a deletion", self.refusal())
            path.unlink()
        with self.subTest("a name that is not UTF-8"):
            path = os.fsencode(dist) + b"/caf\xe9"
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            self.assertIn("the name is not UTF-8", self.refusal())
            os.unlink(path)
        with self.subTest("a named pipe"):
            os.mkfifo(dist / "pipe")
            self.assertIn("pipe is a named pipe, which an image layer cannot hold", self.refusal())
            (dist / "pipe").unlink()
        with self.subTest("set-user-id is dropped"):
            self.write("dist/tool", "#!/bin/true\n", 0o4755)
            self.build()
            self.assertEqual(oct(self.image().members()["srv/tool"].mode), "0o755")

    def test_programs_that_cannot_run_there_are_refused(self):
        with self.subTest("shared libraries on nothing"):
            shutil.copy("/bin/cat", self.project / "dist/run")
            said = self.refusal()
            self.assertIn("/srv/run needs ", said)
            self.assertIn("libc.so.6, which an image from scratch does not have", said)
        with self.subTest("a script on nothing"):
            self.write("dist/run", "#! /bin/sh -e\nexit 0\n", 0o755)
            self.assertIn("/srv/run is a script for /bin/sh, which an image from scratch does not have", self.refusal())
        with self.subTest("a script with what runs it"):
            self.write("dist/run", "#!/srv/shell\n", 0o755)
            self.write("dist/shell", "a program\n", 0o755)
            self.build()
        shutil.copy("/bin/cat", self.project / "dist/run")
        with self.subTest("another machine"):
            self.declare(more="      platforms: [linux/arm64]\n")
            self.assertIn("/srv/run is a program for amd64, and the image is for arm64", self.refusal())
        with self.subTest("nothing there"):
            self.declare(command="[/srv/missing]")
            self.assertIn("nothing stands at /srv/missing in the image, which is what it runs", self.refusal())


class Secrets(NativeTest):
    """Row 42: keys planted where images are made from."""

    CANARY = "canary-5f1d"

    def test_secrets_do_not_get_into_the_image(self):
        self.write("dist/run", "a program\n", 0o755)
        self.write(".env", f"TOKEN={self.CANARY}")
        self.declare()
        self.build()
        self.assertNotIn(self.CANARY.encode(), self.image().content())
        for name in (".env", "web/.npmrc", ".git/config", "tls/live.key", ".ssh/id_ed25519", "tls/deploy"):
            with self.subTest(name):
                content = f"-----BEGIN PRIVATE KEY-----\n{self.CANARY}\n"
                path = self.write("dist/" + name, content)
                said = self.refusal()
                self.assertIn("would get into the image", said)
                self.assertNotIn(self.CANARY, said)
                ignored = self.write(".dockerignore", "**/.env\n**/.npmrc\n**/.git\n**/*.key\n**/.ssh\n**/deploy\n")
                self.build()
                self.assertNotIn(self.CANARY.encode(), self.image().content())
                ignored.unlink()
                path.unlink()
                if path.parent != self.project / "dist":
                    path.parent.rmdir()


if __name__ == "__main__":
    unittest.main(verbosity=1, argv=sys.argv)
