"""An API server of the test's own, with its etcd and without any controller: nothing that is applied there is ever taken
up. It may be stopped and started, which the lab's must not be.
"""

import base64
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request

TOKEN = "own-cluster"


def _binaries():
    found = sorted((pathlib.Path.home() / ".cache/deployctl-lab").glob("kubernetes-*/kube-apiserver"))
    return found[-1].parent


def _free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class OwnCluster:
    """Runs until closed. `kubeconfig` is the path of a file that leads to it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-own-cluster-"))
        self._etcd_port, self._peer_port, self._port = _free_ports(3)
        self._processes = {}
        try:
            self._make_files()
            self._start_etcd()
            self.start_api_server()
        except Exception:
            self.close()
            raise

    def _make_files(self):
        for key in ("key", "account.key"):
            subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", self.folder / key], check=True,
                           capture_output=True)
        subprocess.run(["openssl", "req", "-x509", "-new", "-key", self.folder / "key", "-subj", "/CN=own", "-days", "1",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", self.folder / "crt"], check=True,
                       capture_output=True)
        (self.folder / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n', encoding="utf-8")
        authority = base64.b64encode((self.folder / "crt").read_bytes()).decode()
        self.kubeconfig = str(self.folder / "kubeconfig")
        pathlib.Path(self.kubeconfig).write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "own",
            "contexts": [{"name": "own", "context": {"cluster": "own", "user": "admin"}}],
            "clusters": [{"name": "own", "cluster": {"server": f"https://127.0.0.1:{self._port}",
                                                     "certificate-authority-data": authority}}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}]}), encoding="utf-8")

    def _spawn(self, name, *command):
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                                     stdout=log, stderr=log)

    def _start_etcd(self):
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        self._spawn("etcd", "etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", client,
                    "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                    "--initial-cluster", f"default={peer}", "--unsafe-no-fsync")

    def start_api_server(self):
        self._spawn("api-server", _binaries() / "kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{self._etcd_port}",
                    "--bind-address", "127.0.0.1", "--secure-port", self._port, "--advertise-address", "127.0.0.1",
                    "--tls-cert-file", self.folder / "crt", "--tls-private-key-file", self.folder / "key",
                    "--token-auth-file", self.folder / "tokens.csv", "--authorization-mode", "AlwaysAllow",
                    "--service-cluster-ip-range", "10.233.0.0/24", "--disable-admission-plugins", "ServiceAccount",
                    "--service-account-issuer", "https://own", "--service-account-key-file", self.folder / "account.key",
                    "--service-account-signing-key-file", self.folder / "account.key")
        end = time.monotonic() + 90
        while self.kubectl("get", "namespace", "kube-system").returncode != 0:
            if time.monotonic() > end or self._processes["api-server"].poll() is not None:
                raise RuntimeError((self.folder / "api-server.log").read_text(errors="replace")[-4000:])
            time.sleep(0.5)

    def stop_api_server(self):
        process = self._processes.pop("api-server")
        process.kill()
        process.wait()

    def kubectl(self, *arguments, text=None):
        return subprocess.run(["kubectl", *arguments], env={**os.environ, "KUBECONFIG": self.kubeconfig}, input=text,
                              capture_output=True, text=True, check=False)

    def write_status(self, path, status):
        """As a controller does."""
        request = urllib.request.Request(
            f"https://127.0.0.1:{self._port}{path}/status", data=json.dumps({"status": status}).encode(),
            method="PATCH", headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/merge-patch+json"})
        tls = ssl.create_default_context(cafile=str(self.folder / "crt"))
        with urllib.request.urlopen(request, timeout=10, context=tls):
            pass

    def forget_old_versions(self):
        """Compacts etcd to where it is: watches from before are answered with 410 by a server that starts after it."""
        def ask(path, body):
            request = urllib.request.Request(f"http://127.0.0.1:{self._etcd_port}/v3/kv/{path}",
                                             data=json.dumps(body).encode(), method="POST")
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)

        key = base64.b64encode(b"/registry/health").decode()
        ask("compaction", {"revision": ask("range", {"key": key})["header"]["revision"]})

    def close(self):
        for process in self._processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
