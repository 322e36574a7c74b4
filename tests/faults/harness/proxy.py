"""The servers between client and registry: `front`, which the client takes for the registry, and `other`, a second origin.

Every request that comes in gets a connection of its own to the registry, so a broken one never takes others along. What
is to be broken is the rules' business (rules.py), who is spoken to the caller's.
"""

import datetime
import email.utils
import gzip
import re
import socket
import ssl
import threading
import time

from . import wire
from .registry import MANIFEST_TYPES

# The registry names this token service; each front puts itself in its place, so that faults reach that as well.
TOKEN_REALM = "http://tokens.invalid/token"
TOKEN_PATH = "/token"

# As over a real link: what has left the client is not much ahead of what has arrived.
RECEIVE_BUFFER = 64 << 10


class Seen:
    """One request as it came in, and what became of it."""

    def __init__(self, server, request):
        self.server, self.method, self.target = server, request.method, request.target
        self.path, self.fields = request.path, request.fields
        self.body_size, self.body_sent = request.body_size, 0
        self.status, self.fault = None, ""
        self.at = time.monotonic()

    @property
    def shown_target(self):
        """Without the long values that registries put into queries."""
        return re.sub(r"=[^&]{24,}", "=…", self.target)

    def __str__(self):
        body = f" {self.body_sent} of {self.body_size} bytes" if self.body_size else ""
        marks = "".join(f" [{field}: {self.fields.get(field)}]" for field in ("Range", "Content-Range") if self.fields.get(field))
        marks += " [Authorization]" if self.fields.get("Authorization") else ""
        return f"{self.server} {self.method} {self.shown_target}{body}{marks} -> {self.status or 'nothing'} {self.fault}".rstrip()


class Broken(Exception):
    """The exchange was ended on purpose; both connections are to go."""


class Server:
    """One listening address. `tls` is an ssl.SSLContext or None; with a `banner` it speaks no HTTP but says only that.

    `converse(server, stream)` has the requests of one connection; absent: they go to the registry, broken as the rules say.
    """

    def __init__(self, name, network, tls=None, listens_after=0.0, banner=None, converse=None):
        self.name, self.network, self.tls, self.banner = name, network, tls, banner
        self._converse = converse or (lambda server, stream: Conversation(server, stream).run())
        self._socket = self._bound(0)
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self._streams, self._lock = set(), threading.Lock()
        if listens_after is not None:
            self._after(listens_after, self._listen)

    @property
    def origin(self):
        return f"{'https' if self.tls else 'http'}://{self.address}"

    @staticmethod
    def _bound(port):
        """Bound, not listening: who connects is refused, and nobody else gets the port."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind(("127.0.0.1", port))
        return sock

    def _after(self, seconds, call):
        if not seconds:
            return call()
        timer = threading.Timer(seconds, call)
        timer.daemon = True
        timer.start()

    def _listen(self):
        self._socket.listen(64)
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def go_down(self, seconds):
        """As when the process is restarted: every connection breaks, new ones are refused for a while."""
        with self._lock:
            port = self._socket.getsockname()[1]
            self._shut_listener()
            self._socket = self._bound(port)
            streams = list(self._streams)
        for stream in streams:
            stream.close()
        self._after(seconds, self._listen)

    def _shut_listener(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
        except OSError:
            pass
        self._socket.close()

    def close(self):
        with self._lock:
            self._shut_listener()
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    def _serve(self, sock):
        stream = self._opened(sock)
        if stream is None:
            return
        with self._lock:
            self._streams.add(stream)
        try:
            self._converse(self, stream)
        except (wire.Gone, Broken, OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._streams.discard(stream)
            stream.close()

    def _opened(self, sock):
        if self.banner:
            sock.sendall(self.banner.encode())
            sock.recv(wire.PIECE)
            sock.close()
            return None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            speaks_tls = sock.recv(1, socket.MSG_PEEK) == b"\x16"
            if speaks_tls != bool(self.tls):
                return self._refuse(sock)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
                self.network.resumed_sessions += bool(sock.session_reused)  # None when the client has gone already
            return wire.Stream(sock)
        except (OSError, ssl.SSLError):
            self._say_no_more(sock)
            return None

    @staticmethod
    def _say_no_more(sock):
        """Reads until the client has read and gone: closing at once would reset what it has not read yet."""
        try:
            sock.settimeout(0.5)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(wire.PIECE):
                pass
        except OSError:
            pass
        sock.close()

    def _refuse(self, sock):
        """As Go's server does. It reads first, or the close would reset the connection."""
        sock.recv(wire.PIECE)
        words = b"Client sent an HTTP request to an HTTPS server.\n" if self.tls else b""
        sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n" + words)
        sock.close()


class Network:
    """All servers of one case, what they saw, and the registry behind them.

    `texts` are further names for fill_in(). `proxy` is how a forward proxy has its connections, None: there is none.
    """

    def __init__(self, rules, registry, tls=None, listens_after=0.0, banner=None, forwarded_proto=True, texts=None,
                 proxy=None):
        self.rules, self.registry, self.forwarded_proto, self.texts = rules, registry, forwarded_proto, texts or {}
        self.is_behind_tls = tls is not None
        self.seen = []
        self.resumed_sessions = 0
        self._lock = threading.Lock()
        self.ended = threading.Event()
        self.front = Server("front", self, tls, listens_after, banner)
        self.other = Server("other", self)
        self.proxy = Server("proxy", self, converse=proxy) if proxy else None

    def record(self, server, request):
        entry = Seen(server.name, request)
        with self._lock:
            self.seen.append(entry)
        return entry

    def connect(self, path):
        address = self.registry.token_service if path == TOKEN_PATH else self.registry.address
        host, port = address.split(":")
        return wire.Stream(socket.create_connection((host, int(port)), timeout=60))

    def fill_in(self, text, target="", location=""):
        """Replaces <<front>>, <<other>>, <<target>>, <<location>>, <<location path>>, <<date+5>> and what `texts` names."""
        known = {
            **self.texts,
            "front": self.front.origin,
            "other": self.other.origin,
            "target": target,
            "location": location,
            "location path": path_of(location),
        }

        def value(match):
            name = match.group(1)
            if date := re.fullmatch(r"date([+-]\d+)", name):
                when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(date.group(1)))
                return email.utils.format_datetime(when, usegmt=True)
            return known[name]

        return re.sub(r"<<([^<>]+)>>", value, text)

    def close(self):
        self.ended.set()
        for server in filter(None, (self.front, self.other, self.proxy)):
            server.close()


class Conversation:
    """The requests of one client connection, one after another."""

    def __init__(self, server, stream):
        self.server, self.network, self.stream = server, server.network, stream

    def run(self):
        while request := wire.read_request(self.stream):
            entry = self.network.record(self.server, request)
            rule = self.network.rules.rule_for(self.server.name, request)
            entry.fault = f"({rule.name})" if rule.do else ""
            if not self._answer(request, rule, entry):
                return

    def _answer(self, request, rule, entry):
        """Whether the connection may go on."""
        action = rule.do
        if "down" in action:
            self.server.go_down(action["down"])
            raise Broken
        if action.get("at") == "request":
            self._break(rule)
        if action.get("expire_session"):
            self._plain_exchange("DELETE", request.target, request.fields)
        canned = action.get("answer")
        if canned is not None and not action.get("carry_out"):
            return self._send_canned(request, canned, entry)
        if canned is None and self.server.name == "other" and request.fields.get("Authorization"):
            canned = {"status": 400, "body": "only one authentication mechanism allowed"}  # as object stores do
            return self._send_canned(request, canned, entry)
        restore = self._remembered(request) if action.get("lost_update") else None
        upstream = self.network.connect(request.path)
        try:
            answer = self._forward(upstream, request, rule, entry)
            if restore:
                list(answer.pieces)
                restore()
                answer.pieces = ()
            if canned is not None:
                return self._send_canned(request, canned, entry, is_read=True)
            return self._pass_back(request, answer, rule, entry)
        finally:
            upstream.close()

    def _break(self, rule):
        rule.came_to_pass = True
        if rule.do["break"] == "stall":
            self._hold()
        elif rule.do["break"] == "reset":
            self.stream.reset()
        raise Broken

    def _hold(self):
        """Neither reads nor writes until the client has gone or the case has ended."""
        self.stream.sock.settimeout(0.1)
        while not self.network.ended.is_set():
            try:
                if not self.stream.sock.recv(1, socket.MSG_PEEK):
                    return
                self.network.ended.wait(0.05)
            except TimeoutError:
                continue
            except (OSError, ValueError):  # TLS sockets cannot be peeked at: they are held until the end
                self.network.ended.wait(60)

    def _remembered(self, request):
        """What puts the manifest that is there now back in its place, as a writer does who has not seen ours."""
        registry, types = self.network.registry, {"Accept": MANIFEST_TYPES}
        _, fields, body = registry.ask("GET", request.path, fields=types)
        return lambda: registry.ask("PUT", request.path, body, {"Content-Type": fields["Content-Type"]})

    def _plain_exchange(self, method, target, fields, body=b""):
        upstream = self.network.connect(target)
        try:
            self._write_request(upstream, wire.Request(method, target, fields.replaced("Content-Length", str(len(body)))))
            upstream.send(body)
            list(wire.read_answer(upstream, method).pieces)
        finally:
            upstream.close()

    # Towards the registry.

    def _write_request(self, upstream, request):
        fields = request.fields.without(*wire.HOP_BY_HOP, "Expect", "X-Forwarded-Proto")
        if self.network.is_behind_tls and self.server.name == "front" and self.network.forwarded_proto:
            fields = fields.replaced("X-Forwarded-Proto", "https")
        if self.server.name == "other" and self.network.registry.authorization:  # its URLs need no login, as signed ones
            fields = fields.replaced("Authorization", self.network.registry.authorization(request.path))
        wire.write_head(upstream, f"{request.method} {request.target} HTTP/1.1", [*fields, ("Connection", "close")])

    def _forward(self, upstream, request, rule, entry):
        self._write_request(upstream, self._changed_request(request, rule.do))
        chunked = request.fields.get("Transfer-Encoding")
        for piece in self._request_pieces(request, rule, entry):
            try:
                upstream.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            except wire.Gone:
                break  # it has answered early
        if chunked:
            upstream.send(b"0\r\n\r\n")
        return wire.read_answer(upstream, request.method)

    @staticmethod
    def _changed_request(request, action):
        fields = request.fields
        for name, value in action.get("request_fields", {}).items():
            fields = fields.without(name) if value is None else fields.replaced(name, value)
        return wire.Request(request.method, request.path if action.get("drop_query") else request.target, fields)

    def _request_pieces(self, request, rule, entry):
        action = rule.do
        at = action.get("at", {})
        limit = at.get("request_byte") if isinstance(at, dict) else None
        pace, flip = action.get("request_bytes_per_second"), action.get("flip_request_byte")
        for piece in wire.body_pieces(self.stream, request.fields):
            if limit is not None and entry.body_sent + len(piece) > limit:
                yield piece[:limit - entry.body_sent]
                entry.body_sent = limit
                self._break(rule)
            if flip is not None:
                piece = flipped(piece, flip - entry.body_sent, rule)
            entry.body_sent += len(piece)
            yield piece
            keep_pace(len(piece), pace)

    # Back to the client.

    def _send_canned(self, request, canned, entry, is_read=False):
        early = canned.get("early", False)
        if not early and not is_read:
            for piece in wire.body_pieces(self.stream, request.fields):
                entry.body_sent += len(piece)
        body = self.network.fill_in(canned.get("body", "")).encode() + b"x" * canned.get("body_size", 0)
        fields = wire.Fields((name, self.network.fill_in(value, request.target))
                             for name, value in canned.get("fields", {}).items())
        if "head" in canned:  # byte for byte, for heads that no library would write
            self.stream.send(self.network.fill_in(canned["head"]).encode("latin-1") + body)
            entry.status = canned["head"].split(" ")[1]
            return False
        fields.append(("Content-Length", str(len(body))))
        if early:
            fields.append(("Connection", "close"))
        entry.status = canned["status"]
        wire.write_head(self.stream, f"HTTP/1.1 {canned['status']} Injected", fields)
        if request.method != "HEAD":
            self.stream.send(body)
        if early:
            self._let_it_be_read()
        return not early

    def _let_it_be_read(self):
        """What the client still sends is taken for a moment: closing at once would reset what it has not read yet."""
        self.stream.sock.settimeout(0.5)
        try:
            self.stream.sock.shutdown(socket.SHUT_WR)
            while self.stream.sock.recv(wire.PIECE):
                pass
        except OSError:
            pass

    def _pass_back(self, request, answer, rule, entry):
        action = rule.do
        if action.get("at") == "answer":
            list(answer.pieces)
            self._break(rule)
        change = action.get("change", {})
        status, fields, pieces = self._changed(request, answer, rule)
        if action.get("make_stale"):  # by using the Location that is about to be handed out
            self._plain_exchange("PATCH", path_of(answer.fields.get("Location")), request.fields, b"used up")
        entry.status = status
        if change.get("no_length"):
            wire.write_head(self.stream, f"HTTP/1.0 {status} {answer.reason}", [*fields.without("Content-Length"), ("Connection", "close")])
        else:
            wire.write_head(self.stream, f"HTTP/1.1 {status} {answer.reason}".rstrip(), fields)
        if request.method != "HEAD":
            self._send_pieces(pieces, rule)
        if entry.body_sent < entry.body_size:
            self._let_it_be_read()
            return False
        return not (change.get("no_length") or "declare_length" in change or action.get("close_after"))

    def _changed(self, request, answer, rule):
        change = rule.do.get("change", {})
        fields = wire.Fields((name, value.replace(TOKEN_REALM, self.server.origin + TOKEN_PATH))
                             for name, value in answer.fields.without(*wire.HOP_BY_HOP, "Transfer-Encoding"))
        pieces = answer.pieces
        must_be_whole = "body" in change or "encode" in change or "Transfer-Encoding" in dict(answer.fields)
        if must_be_whole:
            body = b"".join(pieces)
            body = self.network.fill_in(change["body"]).encode() if "body" in change else body
            if "encode" in change:
                body = gzip.compress(body, mtime=0)
                fields = fields.replaced("Content-Encoding", change["encode"])
            fields, pieces = fields.replaced("Content-Length", str(len(body))), (body,)
        for name, value in change.get("fields", {}).items():
            value = value if value is None else self.network.fill_in(value, request.target, answer.fields.get("Location", ""))
            fields = fields.without(name) if value is None else fields.replaced(name, value)
        if "flip_byte" in change:
            pieces = flip_in_pieces(pieces, change["flip_byte"], rule)
        if "declare_length" in change:
            fields = fields.replaced("Content-Length", str(int(fields.get("Content-Length")) + change["declare_length"]))
        return change.get("status", answer.status), fields, pieces

    def _send_pieces(self, pieces, rule):
        at = rule.do.get("at", {})
        limit = at.get("answer_byte") if isinstance(at, dict) else None
        sent = 0
        for piece in pieces:
            if limit is not None and sent + len(piece) > limit:
                self.stream.send(piece[:limit - sent])
                self._break(rule)
            self._send_at_pace(piece, rule.do.get("answer_bytes_per_second"))
            sent += len(piece)

    def _send_at_pace(self, piece, pace):
        """Ten times a second, or all at once where no pace is given."""
        step = max(1, pace // 10) if pace else len(piece)
        for at in range(0, len(piece), step):
            part = piece[at:at + step]
            self.stream.send(part)
            keep_pace(len(part), pace)


def path_of(url):
    return re.sub(r"^https?://[^/]+", "", url)


def keep_pace(size, bytes_per_second):
    if bytes_per_second:
        time.sleep(size / bytes_per_second)


def flipped(piece, at, rule):
    if not 0 <= at < len(piece):
        return piece
    rule.came_to_pass = True
    return piece[:at] + bytes([piece[at] ^ 0x01]) + piece[at + 1:]


def flip_in_pieces(pieces, at, rule):
    passed = 0
    for piece in pieces:
        yield flipped(piece, at - passed, rule)
        passed += len(piece)
