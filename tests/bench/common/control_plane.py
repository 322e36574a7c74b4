"""An etcd and an API server of the benchmark's own, without controllers: whoever plays them decides what happens."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

TOKEN = "bench-token"


def _free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _apiserver():
    found = sorted(pathlib.Path.home().glob(".cache/deployctl-lab/**/kube-apiserver"))
    return str(found[-1]) if found else sys.exit("kube-apiserver is not built: tests/lab/lab up")


class ControlPlane:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-bench-"))
        self._processes = {}
        self.authorization = f"Bearer {TOKEN}"
        self.port, self._etcd_port, peer = _free_port(), _free_port(), _free_port()
        (self.folder / "tokens.csv").write_text(f"{TOKEN},admin,1,system:masters\n")
        (self.folder / "audit.yaml").write_text(
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived, ResponseStarted]\nrules: [{level: Metadata}]\n")
        subprocess.run(["openssl", "genrsa", "-out", str(self.folder / "sa.key"), "2048"], check=True, capture_output=True)
        etcd = f"http://127.0.0.1:{self._etcd_port}"
        self._spawn("etcd", ["etcd", "--data-dir", str(self.folder / "etcd"), "--unsafe-no-fsync",
                             "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
                             "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                             "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                             "--initial-cluster", f"default=http://127.0.0.1:{peer}"])
        self.start_server()
        self.ca = str(self.folder / "certs/apiserver.crt")
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.kubeconfig = str(self.folder / "kubeconfig")
        pathlib.Path(self.kubeconfig).write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "admin"}}],
            "clusters": [{"name": "bench", "cluster": {"server": f"https://127.0.0.1:{self.port}",
                                                       "certificate-authority": self.ca}}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}]}))
        os.chmod(self.kubeconfig, 0o600)
        # With a state folder of its own: an environment is bound to the first cluster it has met.
        self.environment = {"KUBECONFIG": self.kubeconfig, "XDG_STATE_HOME": str(self.folder / "state")}
        self.wait_until_ready()

    def _spawn(self, name, argv):
        log = open(self.folder / f"{name}.log", "ab")
        self._processes[name] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start_server(self):
        self._spawn("apiserver", [
            _apiserver(), "--etcd-servers", f"http://127.0.0.1:{self._etcd_port}", "--bind-address", "127.0.0.1",
            "--secure-port", str(self.port), "--cert-dir", str(self.folder / "certs"),
            "--service-account-issuer", "https://bench", "--service-account-key-file", str(self.folder / "sa.key"),
            "--service-account-signing-key-file", str(self.folder / "sa.key"), "--service-cluster-ip-range", "10.96.0.0/16",
            "--audit-policy-file", str(self.folder / "audit.yaml"), "--audit-log-path", str(self.folder / "audit.log"),
            "--token-auth-file", str(self.folder / "tokens.csv"), "--authorization-mode", "AlwaysAllow",
            "--disable-admission-plugins", "ServiceAccount"])

    def stop_server(self):
        process = self._processes.pop("apiserver")
        process.kill()
        process.wait()

    def wait_until_ready(self, deadline=60):
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                if self.call("GET", "/readyz", parse=False) == b"ok":
                    return
            time.sleep(0.2)
        sys.exit(f"the API server did not come up: {self.folder}/apiserver.log")

    def call(self, method, path, body=None, content_type="application/json", parse=True):
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": self.authorization, "Content-Type": content_type})
        with urllib.request.urlopen(request, context=self.tls, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if parse else content

    def requests_of(self, agent):
        """(verb, path) of every finished request of clients whose User-Agent begins so."""
        lines = (self.folder / "audit.log").read_text().splitlines()
        entries = map(json.loads, lines)
        return [(entry["verb"], entry["requestURI"].split("?")[0]) for entry in entries
                if entry.get("userAgent", "").startswith(agent)]

    def close(self):
        for process in self._processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
