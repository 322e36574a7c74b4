"""One case: a folder as data, its run against the registry behind the proxy, and what is wrong with what came out."""

import fnmatch
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from text_match import line_difference

from .forward import forward_proxy
from .image import Anything, Artifact, Image, ReferrersIndex, fallback_tag, layout_problems
from .nginx import Nginx
from .proxy import Network
from .registry import basic
from .rules import BadRule, Rules, check_keys
from .world import USER

KEYS = {"about", "covers", "registry", "tls", "login", "listens_after", "banner", "layers", "before", "faults", "afterwards",
        "requests", "leaves", "within", "seen_with_login", "forwarded_proto", "host", "proxy", "nginx", "client_certificate",
        "referrers", "trusted", "resumed_sessions"}
IMPORT = 'deployctl image import oci:image "$TARGET"\n'
# How far a run is, and how long it took: another thing each time.
PROGRESS = re.compile(r"^(image \w+$|(import:|export:|copy:|delete:|finished in|failed after|interrupted after) .*)\n", re.MULTILINE)
ENDLESS = 120  # a run that takes so long hangs


class Case:
    def __init__(self, folder, root):
        self.folder, self.name = folder, str(folder.relative_to(root))
        self.document = json.loads((folder / "case.json").read_text(encoding="utf-8"))
        check_keys(f"{self.name}/case.json", self.document, KEYS)
        Rules(self.faults)  # a mistake in one is told before anything runs

    def text(self, name, default=""):
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else default

    @property
    def faults(self):
        return self.document.get("faults", [])

    @property
    def repository(self):
        return "faults/" + re.sub(r"[^a-z0-9]+", "-", self.name.lower())

    def get(self, key, default=None):
        return self.document.get(key, default)


class Outcome:
    """What a run left behind."""

    def __init__(self, done, seconds, network):
        self.code, self.seconds, self.network = done.returncode, seconds, network
        self.stdout, self.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        self.problems = []


def perform(case, world, binary):
    """Runs a case and judges it. `world` gives registries, certificates and logins by name (world.py)."""
    with tempfile.TemporaryDirectory(prefix="faults-") as temporary:
        run = Run(case, world, binary, pathlib.Path(temporary).resolve())
        try:
            return run.perform()
        finally:
            run.close()


class Run:
    def __init__(self, case, world, binary, base):
        self.case, self.world, self.binary = case, world, binary
        self.folder, self.home, self.temporary = base / "work", base / "home", base / "tmp"
        self.registry = world.registry(case.get("registry", "open"))
        self.rules = Rules(case.faults)
        self._make_contents()
        self._open_ways()

    def _make_contents(self):
        """Everything that a tag may hold, by the name that the case has for it."""
        layers = self.case.get("layers", [1000, 3_000_000])
        self.images = {name: Image(f"{self.case.name}/{name}", layers) for name in ("image", "old")}
        self.artifacts = [Artifact(name, self.images["old" if name.startswith("stranger") else "image"])
                          for name in self.case.get("referrers", [])]
        self.listed = ReferrersIndex(self.artifacts)
        true = [artifact for artifact in self.artifacts if artifact.subject is self.images["image"]]
        self.contents = {**self.images, "listed": self.listed, "referrers": ReferrersIndex(true), "anything": Anything()}

    def _open_ways(self):
        """The servers between client and registry; `address` is where the client takes the registry to be."""
        case, host = self.case, self.case.get("host", "127.0.0.1")
        login = basic(USER, self.world.password) if case.get("proxy") == "password" else None
        self.network = Network(self.rules, self.registry, self.world.tls(case.get("tls"), host),
                               case.get("listens_after", 0.0), case.get("banner"), case.get("forwarded_proto", True),
                               texts={"image manifest": self.images["image"].manifest.decode(),
                                      "listed": self.listed.manifest.decode()},
                               proxy=forward_proxy(login) if case.get("proxy") else None)
        self.nginx = self._start_nginx() if case.get("nginx") else None
        self.address = self.nginx.address if self.nginx else self.network.front.address.replace("127.0.0.1", host)

    def _start_nginx(self):
        self.network.is_behind_tls = True
        return Nginx(self.network.front.address, *self.world.certificate(), **self.case.get("nginx"))

    def close(self):
        self.network.close()
        if self.nginx:
            self.nginx.close()

    def perform(self):
        self._prepare()
        begun = time.monotonic()
        done = self._execute()
        outcome = Outcome(done, time.monotonic() - begun, self.network)
        outcome.stdout, outcome.stderr = self._shown(outcome.stdout), PROGRESS.sub("", self._shown(outcome.stderr))
        outcome.problems = [problem for check in (
            self._wrong_end, self._wrong_words, self._wrong_registry, self._wrong_requests, self._leaks, self._leftovers,
        ) for problem in check(outcome) if problem]
        return outcome

    def _prepare(self):
        for folder in (self.folder, self.home / "bin", self.temporary):
            folder.mkdir(parents=True)
        (self.home / "bin" / "deployctl").symlink_to(self.binary)
        self.images["image"].write_layout(self.folder / "image")
        if (self.case.get("tls") or self.nginx) and self.case.get("trusted", True):
            self.world.trust(self.home, self.address, self.case.get("client_certificate", False))
        self.world.log_in(self.home, self.case.get("login"), self.address)
        for tag, name in self.case.get("before", {}).items():
            self.registry.put_image(self.case.repository, tag, self.images[name])
        for artifact in self.artifacts:
            self.registry.put_image(self.case.repository, None, artifact)
        if self.artifacts:
            self.registry.put_image(self.case.repository, self.fallback, self.listed)

    @property
    def fallback(self):
        return fallback_tag(self.images["image"].digest)

    def _environment(self):
        address, repository = self.address, self.case.repository
        values = {
            "PATH": f"{self.home}/bin:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home), "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8", "DOCKER_HOST": "unix:///nonexistent/docker.sock", "KUBECONFIG": "/nonexistent/kubeconfig",
            "REGISTRY": address, "REPOSITORY": f"{address}/{repository}", "TARGET": f"{address}/{repository}:1",
            "CA": str(self.world.authority.certificate) if self.case.get("tls") else "", "OTHER": self.network.other.address, "DIGEST": self.images["image"].digest, "OLD_DIGEST": self.images["old"].digest, **self.world.settings(),
        }
        for line in self.case.text("env").splitlines():
            name, _, value = line.partition("=")
            values[name] = self._filled_in(value)
        return values

    def _filled_in(self, text):
        """<<registry>>, <<proxy>> and <<password>> in a line of `env`."""
        proxy = self.network.proxy.address if self.network.proxy else ""
        for name, value in (("registry", self.address), ("proxy", proxy), ("password", self.world.password)):
            text = text.replace(f"<<{name}>>", value)
        return text

    def _execute(self):
        """The command in a process group of its own, so that a hanging one can be ended whole."""
        with subprocess.Popen(["bash", "-c", self.case.text("command", IMPORT)], cwd=self.folder, env=self._environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              start_new_session=True) as process:
            try:
                stdout, stderr = process.communicate(timeout=ENDLESS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                stdout, stderr = process.communicate()
            return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def _shown(self, text):
        proxy = [(self.network.proxy.address, "proxy")] if self.network.proxy else []
        for value, name in (*proxy, (self.address, "registry"), (self.network.other.address, "other"),
                            (self.images["image"].digest, "digest"), (self.images["old"].digest, "old digest"),
                            (str(self.folder), "folder"), (str(self.home), "home")):
            text = text.replace(value, f"<<{name}>>")
        return text

    def _wrong_end(self, outcome):
        wanted = int(self.case.text("exit", "0"))
        if outcome.code != wanted:
            yield f"exit code is {outcome.code}, expected {wanted}"
        if outcome.seconds > (limit := self.case.get("within", 20)):
            yield f"it took {outcome.seconds:.1f} s, expected at most {limit} s"

    def _wrong_words(self, outcome):
        yield line_difference("stdout", self.case.text("stdout"), outcome.stdout)
        yield line_difference("stderr", self.case.text("stderr"), outcome.stderr)

    def _wrong_registry(self, _):
        """Tags hold what the case says, and nothing that is incomplete, whatever it says."""
        wanted = {tag if ":" in tag else ":" + tag: name for tag, name in self._afterwards().items()}
        for below in {"", *(tag.partition(":")[0] for tag in wanted)}:
            for tag in self.registry.tags(self._repository(below)):
                yield from self.registry.incomplete(self._repository(below), tag)
                wanted.setdefault(f"{below}:{tag}", "nothing")
        for place, name in wanted.items():
            below, _, tag = place.partition(":")
            manifest = self.registry.manifest(self._repository(below), tag)
            if not (self.contents[name].matches(manifest) if name in self.contents else manifest is None):
                yield f"tag {place.lstrip(':')} should hold {name}, but holds {self._named(manifest)}"

    def _afterwards(self):
        return {tag.replace("<<fallback>>", self.fallback): name for tag, name in self.case.get("afterwards", {}).items()}

    def _repository(self, below):
        return self.case.repository + ("/" + below if below else "")

    def _named(self, manifest):
        known = {content.manifest: name for name, content in self.contents.items()}
        return "nothing" if manifest is None else known.get(manifest, "something else")

    def _wrong_requests(self, _):
        for rule in self.rules.unused():
            yield f"a fault did not come to pass: {rule}"
        for pattern, wanted in self.case.get("requests", {}).items():
            count = sum(1 for entry in self.network.seen if fits(entry, pattern))
            if not allows(wanted, count):
                yield f"{count} requests '{pattern}', expected {wanted}"
        wanted = self.case.get("resumed_sessions", ">=0")
        if not allows(wanted, self.network.resumed_sessions):
            yield f"{self.network.resumed_sessions} connections went on with a TLS session, expected {wanted}"

    def _leaks(self, outcome):
        """No secret in any output; an Authorization only where the case says that it belongs."""
        for name, text in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
            yield from (f"{name} holds a secret" for secret in self.world.secrets() if secret in text)
        allowed = self.case.get("seen_with_login", ["front"])
        for entry in self.network.seen:
            if entry.fields.get("Authorization") and entry.server not in allowed:
                yield f"{entry.server} was sent credentials: {entry}"
            if entry.fields.get("Proxy-Authorization") and entry.server != "proxy":
                yield f"{entry.server} was sent the proxy's credentials: {entry}"

    def _leftovers(self, _):
        leaves = self.case.get("leaves", {})
        yield from (f"temporary file left: {path.name}" for path in self.temporary.iterdir())
        for path in self.folder.iterdir():
            if path.name != "image" and path.name not in leaves:
                yield f"left behind: {path.name}"
        for name, image in leaves.items():
            if image in self.images:
                yield from layout_problems(self.folder / name, self.images[image])
            elif not (self.folder / name).exists():
                yield f"{name} is missing"


def fits(entry, pattern):
    """Whether a request is one of "[server ]METHOD path-pattern"."""
    words = pattern.split(" ")
    server = words.pop(0) if len(words) == 3 else "front"
    method, path = words
    return (entry.server == server and (method == "ANY" or entry.method in method.split("|"))
            and fnmatch.fnmatchcase(entry.path, path))


def allows(wanted, count):
    """2, "<=3" or ">=1"."""
    text = str(wanted)
    if text.startswith("<="):
        return count <= int(text[2:])
    if text.startswith(">="):
        return count >= int(text[2:])
    return count == int(text)


def load_all(root, prefix):
    """Every case below `root` whose name starts so; BadRule names the one with a mistake."""
    folders = sorted(path.parent for path in root.glob("**/case.json"))
    found = []
    for folder in folders:
        try:
            if str(folder.relative_to(root)).startswith(prefix):
                found.append(Case(folder, root))
        except (BadRule, ValueError, KeyError) as error:
            raise BadRule(f"{folder.relative_to(root)}: {error}") from error
    return found
