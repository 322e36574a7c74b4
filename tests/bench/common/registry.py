"""A registry of our own for a sequence of runs: a fresh process, an empty store in memory, requests counted from its log."""

import http.client
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from common import programs

CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: {store}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
MANIFEST_TYPES = ", ".join(["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
                            "application/vnd.docker.distribution.manifest.v2+json"])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def await_port(port, process):
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end or process.poll() is not None:
                raise
            time.sleep(0.005)


class Registry:
    """with Registry() as registry: …; registry.port is where it listens."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-bench-registry-", dir="/dev/shm"))
        self.port = free_port()
        config = self.folder / "config.yml"
        config.write_text(CONFIG.format(store=self.folder / "store", port=self.port))
        self.log = self.folder / "access.log"
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(["docker-registry", "serve", str(config)], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=subprocess.DEVNULL)
        await_port(self.port, self.process)
        self.seen = self._requests()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def digest(self, repository, tag):
        """What the tag points at."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("HEAD", f"/v2/{repository}/manifests/{tag}", headers={"Accept": MANIFEST_TYPES})
        answer = connection.getresponse()
        connection.close()
        return answer.getheader("Docker-Content-Digest") if answer.status == 200 else None

    def new_requests(self):
        """How many came since the last call, our own apart."""
        mark = f"/v2/?mark={time.monotonic_ns()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", mark)
        connection.getresponse().read()
        connection.close()
        end = time.monotonic() + 5
        while mark not in self.log.read_text(errors="replace") and time.monotonic() < end:
            time.sleep(0.001)
        now = self._requests()
        count, self.seen = now - self.seen, now
        return count

    def _requests(self):
        return sum(1 for line in self.log.read_text(errors="replace").splitlines() if " HTTP/1." in line and "?mark=" not in line)

    def forget_requests(self):
        self.seen = self._requests()


class Link:
    """A proxy before a port that adds a round-trip time and counts connections and bytes."""

    def __init__(self, port, round_trip=0):
        self.target, self.round_trip = port, round_trip

    def __enter__(self):
        self.process = subprocess.Popen([programs.tool("delay_proxy"), str(self.round_trip), str(self.target)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.stdout.close()
        self.process.wait()

    def counts(self):
        """{"connections", "up", "down"} since the last call; bytes."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())
