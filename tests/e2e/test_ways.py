"""The ways a kubeconfig may lead to the API server: another name for its certificate, a proxy, no TLS at all."""

import base64
import contextlib
import http.server
import json
import pathlib
import shutil
import socket
import tempfile
import threading
import unittest

from harness import ProjectTest, kubectl

MANIFEST = """project: e2e-ways
services:
  cache: {image: "127.0.0.1:9/e2e-ways/cache:1", port: 8080}
environments:
  lab: {namespace: e2e-ways}
"""
OTHER_ADDRESS = "127.0.0.2"  # leads here as well, but the API server's certificate is not for it


class Relay:
    """Hands on what comes to a port of its own; as a forward proxy when asked to, to where CONNECT says."""

    def __init__(self, target, address="127.0.0.1", is_proxy=False):
        self.target, self.is_proxy = target, is_proxy
        self.tunnels = []  # "host:port" of each CONNECT
        self._listener = socket.create_server((address, 0))
        self.address = f"{address}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            if self.is_proxy:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(1)
                self.tunnels.append(head.split()[1].decode())
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection(self.target) as server:
                back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
                back.start()
                self._copy(client, server)
                back.join()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class PlainServer:
    """An API server without TLS that refuses everybody, and what it was sent for authorization."""

    def __enter__(self):
        seen = self.authorizations = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.headers.get("Authorization"))
                self.send_error(401)

            do_POST = do_PATCH = do_PUT = do_GET

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class Ways(ProjectTest):
    @classmethod
    def setUpClass(cls):
        config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
        cls.cluster, cls.user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        host, port = cls.cluster["server"].removeprefix("https://").split(":")
        cls.target = (host, int(port))

    def setUp(self):
        super().setUp()
        self.write("deployctl.yaml", MANIFEST)
        self.commit()

    def history(self, user=None, **cluster):
        """`deployctl history` by way of the lab's cluster with these settings changed; None removes one."""
        changed = {key: value for key, value in {**self.cluster, **cluster}.items() if value is not None}
        folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-e2e-ways-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        (folder / "kubeconfig").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": changed}],
            "users": [{"name": "it", "user": user or self.user}]}))
        return self.deployctl("history", "-e", "lab", env={"KUBECONFIG": str(folder / "kubeconfig")})

    def assert_refused(self, done, *words):
        self.assertNotEqual(done.code, 0, done)
        for word in words:
            self.assertIn(word, done.stderr, done)

    def test_the_certificate_has_to_be_for_the_address_or_for_the_name_that_is_given(self):
        with Relay(self.target, OTHER_ADDRESS) as relay:
            server = f"https://{relay.address}"
            self.assert_refused(self.history(server=server), OTHER_ADDRESS)
            self.assert_exit(self.history(server=server, **{"tls-server-name": "kubernetes"}), 0)
            self.assert_refused(self.history(server=server, **{"tls-server-name": "other.example"}), "for another name")

    def test_an_authority_of_another_cluster_vouches_for_nothing(self):
        with open("/etc/ssl/certs/ca-certificates.crt", "rb") as file:
            self.assert_refused(self.history(**{"certificate-authority-data": base64.b64encode(file.read()).decode()}), "certificate")
        self.assert_refused(self.history(**{"certificate-authority-data": None}), "certificate")

    def test_a_server_that_is_not_verified_has_no_authority_beside(self):
        self.assert_refused(self.history(**{"insecure-skip-tls-verify": True}), "insecure-skip-tls-verify")
        self.assert_exit(self.history(**{"insecure-skip-tls-verify": True, "certificate-authority-data": None}), 0)

    def test_a_proxy_of_the_kubeconfig_is_gone_through(self):
        with Relay(self.target, is_proxy=True) as proxy:
            self.assert_exit(self.history(**{"proxy-url": f"http://{proxy.address}"}), 0)
            self.assertEqual(set(proxy.tunnels), {"%s:%d" % self.target})

    def test_a_token_is_never_sent_in_clear(self):
        with PlainServer() as plain:
            done = self.history({"token": "canary-token"}, server=f"http://{plain.address}")
            self.assert_refused(done)
            self.assertNotIn("canary-token", done.stderr)
            self.assertEqual(set(plain.authorizations), {None})


if __name__ == "__main__":
    unittest.main(verbosity=2)
