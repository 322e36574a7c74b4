"""What the end-to-end tests share: a project in a temporary git repository, deployctl runs, a load, the cluster's view.

Everything here is real: the engine, the registry and the cluster of the lab (tests/lab), found through the environment
that `eval "$(tests/lab/lab env)"` sets.
"""

import atexit
import concurrent.futures
import contextlib
import http.client
import io
import itertools
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DEPLOYCTL = os.environ.get("DEPLOYCTL", str(SOURCE / "build/release/deployctl"))


# Which cluster an environment belongs to is remembered for each user; the tests are one of their own.
STATE = tempfile.mkdtemp(prefix="deployctl-e2e-state-")
os.environ["XDG_STATE_HOME"] = STATE
for each in ("CI", "GITHUB_ACTIONS", "GITLAB_CI"):  # where these tests run is not what they are about
    os.environ.pop(each, None)
atexit.register(shutil.rmtree, STATE, ignore_errors=True)


def registry():
    return os.environ["DEPLOYCTL_LAB_REGISTRY"]


class Run:
    """One finished run of a program."""

    def __init__(self, done, seconds):
        self.code = done.returncode
        self.stdout = done.stdout.decode(errors="replace")
        self.stderr = done.stderr.decode(errors="replace")
        self.seconds = seconds

    def __str__(self):
        return f"exit {self.code} after {self.seconds:.1f}s\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


def run(argv, cwd=None, env=None, timeout=600):
    begun = time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout, check=False)
    return Run(done, time.monotonic() - begun)


def kubectl(*arguments):
    return run(["kubectl", *arguments])


def own_namespace(prefix):
    """A name nobody else uses: a test need not wait until what an earlier one left is gone."""
    return f"{prefix}-{secrets.token_hex(3)}"


def delete_namespace(name):
    """Begins to delete it; its pods need not finish what they do, which takes half a minute each time, and its node ports
    are free at once."""
    kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")
    kubectl("delete", "services", "--all", "-n", name)
    kubectl("delete", "pods", "--all", "-n", name, "--grace-period=1", "--wait=false")


def was_never_forwarded(connection):
    """kube-proxy writes its rules anew whenever an endpoint anywhere comes or goes. A connection that begins in the
    moment between the old ones and the new ones ends at the socket by which kube-proxy keeps the node port for itself,
    where nobody answers: its translation, fixed by its first packet, is none."""
    _, local = connection.sock.getsockname()
    tracked = run(["conntrack", "-L", "-p", "tcp", "--orig-port-src", str(local), "--orig-port-dst",
                   str(connection.port)])
    return f"src=127.0.0.1 dst=127.0.0.1 sport={connection.port} dport={local} " in tracked.stdout


class Load:
    """Requests without pause from several threads, half of them each on a new connection, until stopped; counts what
    failed on its way to a pod or in one."""

    def __init__(self, port, path, threads=4):
        self.port, self.path = port, path
        self.total, self.failures = 0, []
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(at % 2 == 0,)) for at in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, keep_alive):
        connection = None
        while not self._stop.is_set():
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
                problem = None if answer.status == 200 else f"status {answer.status}"
                if not keep_alive or answer.will_close:
                    connection.close()
                    connection = None
            except OSError as error:
                is_lost = not (isinstance(error, TimeoutError) and connection.sock and was_never_forwarded(connection))
                problem, connection = repr(error) if is_lost else None, None
            except http.client.HTTPException as error:
                problem, connection = repr(error), None
            with self._lock:
                self.total += 1
                if problem:
                    self.failures.append((time.strftime("%H:%M:%S"), problem))
            time.sleep(0.005)
        if connection:
            connection.close()


def get_json(port, path, deadline=30):
    """The answer's JSON; retried until the service answers, for tests that have just made it."""
    end = time.monotonic() + deadline
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            with contextlib.closing(connection):
                connection.request("GET", path)
                return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


class ProjectTest(unittest.TestCase):
    """A test with a project folder of its own (a git repository with one commit) and a namespace of its own, because
    deleting one takes long and nobody has to wait for it."""

    namespace = None  # set by the test class; each of its tests gets one with a number behind it
    namespace_prefix = None  # or this, for names that no other run has either
    numbers = itertools.count(1)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        if self.namespace_prefix:
            self.namespace = own_namespace(self.namespace_prefix)
            self.addCleanup(delete_namespace, self.namespace)
        elif self.namespace:
            self.namespace = f"{self.namespace}-{next(self.numbers)}"
            if kubectl("get", "namespace", self.namespace).code == 0:  # left by an earlier run
                delete_namespace(self.namespace)
                kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=true")
            self.addCleanup(delete_namespace, self.namespace)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self, message="change"):
        if not (self.folder / ".git").exists():
            run(["git", "init", "-q", "-b", "main"], cwd=self.folder)
        run(["git", "add", "-A"], cwd=self.folder)
        done = run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-q", "-m", message],
                   cwd=self.folder)
        self.assertEqual(done.code, 0, done)

    def deployctl(self, *arguments, env=None, timeout=600):
        return run([DEPLOYCTL, *arguments], cwd=self.folder, env=env, timeout=timeout)

    def assert_exit(self, done, code):
        self.assertEqual(done.code, code, done)

    def get(self, kind, name):
        """An object of the namespace; None when there is none."""
        done = kubectl("get", kind, name, "-n", self.namespace, "-o", "json")
        return json.loads(done.stdout) if done.code == 0 else None

    def node_port(self, service="web"):
        return self.get("service", service)["spec"]["ports"][0]["nodePort"]


def run_side_by_side(case, alone=()):
    """unittest.main() for tests that mostly wait and share nothing: each in a thread of its own, after those that count
    requests, which want the machine for themselves."""
    def finish(test):
        text = io.StringIO()
        well = unittest.TextTestRunner(stream=text, verbosity=2).run(test).wasSuccessful()
        print(text.getvalue(), file=sys.stderr, flush=True)
        return well

    wanted = [name.rpartition(".")[2] for name in sys.argv[1:]]
    tests = [case(name) for name in wanted or unittest.defaultTestLoader.getTestCaseNames(case)]
    ended = [finish(test) for test in tests if test.id().rpartition(".")[2] in alone]
    with concurrent.futures.ThreadPoolExecutor(len(tests)) as pool:
        ended += pool.map(finish, [test for test in tests if test.id().rpartition(".")[2] not in alone])
    sys.exit(not all(ended))


def wait_for_answer(port, path, deadline=60):
    """Until the service answers: nodes follow its endpoints a moment later than its pods are ready."""
    end = time.monotonic() + deadline
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            with contextlib.closing(connection):
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"nothing answers at port {port}")
        time.sleep(0.1)


# A service that is there within a second: busybox's web server.
TINY_DOCKERFILE = """FROM busybox:1.36
COPY index.html /www/index.html
USER 65532:65532
EXPOSE 8080
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
"""


def tiny_manifest(project, extra="", namespace=None, health="    health: /index.html\n"):
    return f"""project: {project}
registry: {registry()}/{project}
services:
  web:
    stack: dockerfile
    port: 8080
{health}    strategy: {{deadline: 60s}}
{extra}environments:
  lab:
    namespace: {namespace or project}
"""
