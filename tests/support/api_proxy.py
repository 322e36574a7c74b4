"""Stands between deployctl and the lab's API server and breaks what passes in the ways networks and servers do.

It speaks TLS with a certificate of its own and hands every request on with the administrator's. Faults are switched on by
the test while the run goes on; nothing of the real server, which others use, is touched.
"""

import base64
import contextlib
import http.client
import http.server
import json
import pathlib
import random
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time

FUTURE = 10**12


def _upstream():
    text = subprocess.run(["kubectl", "config", "view", "--raw", "-o", "json"], capture_output=True, check=True).stdout
    config = json.loads(text)
    return config["clusters"][0]["cluster"], config["users"][0]["user"]


class ApiProxy:
    """A running proxy. `kubeconfig` is the path of a file that leads to it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-proxy-"))
        self.applied = threading.Event()  # a Deployment has been written
        self.requests = []                # (method, path without query, status)
        self.required_token = None
        self.future_lists = set()         # kinds whose next list claims a version the server does not have yet
        self.old_watches = 0              # so many of the next ask for a version that the server has forgotten
        self.gone = 0                     # watches that the server has ended because of that
        self.crumbs = False               # streams come in pieces that end anywhere
        self._scripted = []               # (matches, status, headers, body)
        self._refusing_until = 0.0
        self._lock = threading.Lock()
        self._connections, self._streams = set(), set()
        cluster, user = _upstream()
        self._address = re.sub("^https://", "", cluster["server"])
        self._upstream_tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        self._upstream_tls.load_cert_chain(self._file("up.crt", base64.b64decode(user["client-certificate-data"])),
                                           self._file("up.key", base64.b64decode(user["client-key-data"])))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=proxy",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(self.folder / "key"), "-out",
                        str(self.folder / "crt")], check=True, capture_output=True)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(self.folder / "crt", self.folder / "key")
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.token_file = self._file("token", b"token-1\n")
        self.kubeconfig = self._write_kubeconfig({"tokenFile": self.token_file})

    def _write_kubeconfig(self, user):
        return self._file("kubeconfig", json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "proxy"}}],
            "clusters": [{"name": "lab", "cluster": {
                "server": f"https://127.0.0.1:{self._server.server_address[1]}",
                "certificate-authority": str(self.folder / "crt")}}],
            "users": [{"name": "proxy", "user": user}]}).encode())

    def use_plugin(self):
        """The token comes from a program, as long as there is a file with its answer."""
        api = "client.authentication.k8s.io/v1"
        self.plugin_answer = pathlib.Path(self._file("answer.json", json.dumps({
            "apiVersion": api, "kind": "ExecCredential", "status": {"token": "token-1"}}).encode()))
        script = f"cat {self.plugin_answer} || {{ echo the session has expired >&2; exit 1; }}"
        self._write_kubeconfig({"exec": {"apiVersion": api, "command": "sh", "args": ["-c", script],
                                         "interactiveMode": "Never"}})

    def _file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return str(path)

    def close(self):
        self._server.shutdown()
        self.drop_everything()
        self._server.server_close()

    # Faults.

    def drop_watches(self):
        for stream in self._all(self._streams):
            stream.cut()

    def stall_watches(self):
        """Nothing more comes through the streams there are; they stay open."""
        for stream in self._all(self._streams):
            stream.stalled = True

    def drop_everything(self):
        self.drop_watches()
        for connection in self._all(self._connections):
            _shut(connection)

    def refuse(self, seconds):
        """As during a restart: connections break, and new ones are not taken for a while."""
        self._refusing_until = time.monotonic() + seconds
        self.drop_everything()

    def answer_next(self, count, matches, status, body, headers=None):
        with self._lock:
            self._scripted += [(matches, status, headers or {}, body)] * count

    def rotate_token(self, token):
        self.required_token = token
        pathlib.Path(self.token_file).write_text(token + "\n", encoding="utf-8")

    # For the handler.

    def is_refusing(self):
        return time.monotonic() < self._refusing_until

    def take_script(self, method, path):
        with self._lock:
            for at, script in enumerate(self._scripted):
                if script[0](method, path):
                    return self._scripted.pop(at)
        return None

    def _all(self, items):
        with self._lock:
            return list(items)

    def keep(self, items, item):
        with self._lock:
            items.add(item)

    def forget(self, items, item):
        with self._lock:
            items.discard(item)

    def connect(self):
        return http.client.HTTPSConnection(self._address, context=self._upstream_tls, timeout=600)


def _shut(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class _Stream:
    def __init__(self, upstream, client):
        self.upstream, self.client, self.stalled = upstream, client, False

    def cut(self):
        _shut(self.client)
        _shut(self.upstream)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # broken connections are what this server is for


def _handler_of(proxy):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            if proxy.is_refusing():
                self.request.close()
                raise ConnectionError("refused")
            self.request = proxy._tls.wrap_socket(self.request, server_side=True)
            proxy.keep(proxy._connections, self.request)
            super().setup()

        def finish(self):
            proxy.forget(proxy._connections, self.request)
            super().finish()

        def log_message(self, *_):
            pass

        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            bare = self.path.split("?")[0]
            if proxy.required_token and self.headers.get("Authorization") != f"Bearer {proxy.required_token}":
                return self.answer(401, {"Content-Type": "application/json"}, json.dumps(
                    {"kind": "Status", "code": 401, "reason": "Unauthorized", "message": "Unauthorized"}).encode())
            if script := proxy.take_script(self.command, self.path):
                return self.answer(script[1], script[2], script[3])
            with contextlib.closing(proxy.connect()) as upstream:
                return self.pass_on(upstream, bare, body)

        def pass_on(self, upstream, bare, body):
            headers = {name: value for name, value in self.headers.items()
                       if name.lower() in ("accept", "content-type", "user-agent")}
            upstream.request(self.command, self.aged(self.path), body, headers)
            response = upstream.getresponse()
            proxy.requests.append((self.command, bare, response.status))
            if "watch=true" in self.path and response.status == 200:
                return self.stream(upstream, response)
            content = response.read()
            if self.command == "PATCH" and "/deployments/" in bare and "dryRun" not in self.path:
                proxy.applied.set()
            kind = bare.rsplit("/", 1)[-1]
            if self.command == "GET" and kind in proxy.future_lists:
                proxy.future_lists.discard(kind)
                listed = json.loads(content)
                listed["metadata"]["resourceVersion"] = str(int(listed["metadata"]["resourceVersion"]) + FUTURE)
                content = json.dumps(listed).encode()
            return self.answer(response.status, {"Content-Type": response.getheader("Content-Type", "")}, content)

        def aged(self, path):
            if "watch=true" not in path or proxy.old_watches == 0:
                return path
            proxy.old_watches -= 1
            return re.sub(r"resourceVersion=[0-9]+", "resourceVersion=1", path)

        def answer(self, status, headers, content):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def stream(self, upstream, response):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            stream = _Stream(upstream.sock, self.request)
            proxy.keep(proxy._streams, stream)
            try:
                while piece := response.read1(random.randint(1, 2000) if proxy.crumbs else 65536):
                    proxy.gone += piece.startswith(b'{"type":"ERROR"') and b'"code":410' in piece
                    if not stream.stalled:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                        self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")
            finally:
                proxy.forget(proxy._streams, stream)
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    return Handler
