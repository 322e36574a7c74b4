"""A way to the API server with a gate: each request of a run can be counted, held, refused, or be its last.

A gate is told of a request (`enter`, which gives it a number), may answer it itself (`answer`), and stands before it is
handed on and before its answer is (`pass_by`).
"""

import http.client
import http.server
import json
import re
import subprocess
import threading


class PlainApi:
    """The API server without TLS and credentials, for a proxy that is simple enough to be right."""

    def __init__(self):
        self.process = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline().decode().rsplit(":", 1)[1])

    def close(self):
        self.process.terminate()
        self.process.communicate()


class Gate:
    """Lets everything pass."""

    def enter(self, command, path):
        return 0

    def answer(self, number):
        return None

    def pass_by(self, number, before):
        pass


class Kill(Gate):
    """The first request that begins so is the last: `process` is killed before it is handed on, or when it is done."""

    def __init__(self, what, before):
        self.what, self.before = re.compile(what), before
        self.process, self.started, self.killed = None, threading.Event(), threading.Event()

    def run(self, process):
        self.process = process
        self.started.set()

    def enter(self, command, path):
        return int("dryRun" not in path and bool(self.what.match(f"{command} {path}")))

    def pass_by(self, number, before):
        if number and before == self.before:
            self.started.wait(10)
            self.process.kill()
            self.killed.set()
        if self.killed.is_set():
            raise ConnectionAbortedError("the run is over")


class Hold(Gate):
    """Lets the first request that begins so ("PUT /apis/…", a regular expression; those of a dry run never do) wait
    until it is let go, before it is handed on. A request is given up after some seconds."""

    def __init__(self, what):
        self.what = re.compile(what)
        self.reached, self.let_go = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def enter(self, command, path):
        if "dryRun" not in path and self.what.match(f"{command} {path}") and self._is_first():
            self.let_go.wait(60)
        return 0

    def _is_first(self):
        with self._lock:
            was_reached = self.reached.is_set()
            self.reached.set()
            return not was_reached


class HoldAtTheLock(Gate):
    """Until it is let go, somebody else has always been faster to take the lock."""

    CONFLICT = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Conflict", "code": 409,
                "message": "the object has been modified"}

    def __init__(self):
        self.reached, self.let_go = threading.Event(), threading.Event()

    def enter(self, command, path):
        return int(command in ("POST", "PUT") and "/leases" in path)

    def answer(self, number):
        if not number:
            return None
        self.reached.set()
        return None if self.let_go.wait(0.5) else (409, self.CONFLICT)


class Proxy(http.server.ThreadingHTTPServer):
    """Hands every request on to the port `upstream` once its gate lets it."""

    daemon_threads = True

    def __init__(self, upstream, gate):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.gate = upstream, gate
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def kubeconfig(self):
        """The text of a file that leads here."""
        address = f"http://127.0.0.1:{self.server_address[1]}"
        return json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
            "clusters": [{"name": "proxy", "cluster": {"server": address}}], "users": [{"name": "proxy", "user": {}}]})

    def close(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # the other end was killed: that is what the tests are about


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def forward(self):
        gate = self.server.gate
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        number = gate.enter(self.command, self.path)
        if refusal := gate.answer(number):
            status, content = refusal
            self.reply(status, [("Content-Type", "application/json")], json.dumps(content).encode())
            return
        gate.pass_by(number, before=True)
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            if "watch=" in self.path:
                self.stream(answer)
                return
            content = answer.read()
            gate.pass_by(number, before=False)
            self.reply(answer.status, answer.getheaders(), content)
        finally:
            upstream.close()

    def reply(self, status, headers, content):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def stream(self, answer):
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type") or "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while line := answer.readline():
            self.wfile.write(line)
            self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward
