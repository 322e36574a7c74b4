"""A forward proxy as companies have them: CONNECT for https, whole URLs for http, and a password where it wants one.

Whatever host a request names, it ends at the front: names that nobody resolves can be tried.
"""

import re
import socket
import threading

from . import wire


def forward_proxy(login=None):
    """How such a proxy has its connections; `login` is the Proxy-Authorization that it wants."""
    return lambda server, stream: Forwarding(server, stream, login).run()


class Forwarding:
    """The requests of one client connection, one after another."""

    def __init__(self, server, stream, login):
        self.network, self.server, self.stream, self.login = server.network, server, stream, login

    def run(self):
        while request := wire.read_request(self.stream):
            entry = self.network.record(self.server, request)
            if self.login and request.fields.get("Proxy-Authorization") != self.login:
                entry.status = 407
                self._refuse(request)
            elif request.method == "CONNECT":
                entry.status = 200
                self.stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
                return self._tunnel()
            else:
                self._pass_on(request, entry)

    def _upstream(self):
        host, port = self.network.front.address.split(":")
        return wire.Stream(socket.create_connection((host, int(port)), timeout=60))

    def _refuse(self, request):
        list(wire.body_pieces(self.stream, request.fields))
        wire.write_head(self.stream, "HTTP/1.1 407 Proxy Authentication Required",
                        [("Proxy-Authenticate", 'Basic realm="the way out"'), ("Content-Length", "0")])

    def _tunnel(self):
        upstream = self._upstream()
        back = threading.Thread(target=pump, args=(upstream, self.stream), daemon=True)
        back.start()
        pump(self.stream, upstream)
        back.join()

    def _pass_on(self, request, entry):
        upstream = self._upstream()
        try:
            path = re.sub(r"^http://[^/]+", "", request.target)
            fields = request.fields.without(*wire.HOP_BY_HOP, "Proxy-Authorization")
            wire.write_head(upstream, f"{request.method} {path} HTTP/1.1", [*fields, ("Connection", "close")])
            for piece in wire.body_pieces(self.stream, request.fields):
                upstream.send(piece)
            answer = wire.read_answer(upstream, request.method)
            entry.status = answer.status
            wire.write_head(self.stream, answer.first_line, answer.fields.without(*wire.HOP_BY_HOP))
            for piece in answer.pieces:
                self.stream.send(piece)
        finally:
            upstream.close()


def pump(source, target):
    """Until either end closes, which then closes the other."""
    try:
        while piece := source.some(wire.PIECE):
            target.send(piece)
    except (wire.Gone, OSError):
        pass
    for stream in (source, target):
        try:
            stream.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
