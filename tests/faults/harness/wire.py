"""HTTP/1.1 on sockets, just as much as a proxy that may break it anywhere needs. Header fields keep order and spelling."""

import socket
import struct

PIECE = 16 << 10
LONGEST_HEAD = 256 << 10
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "upgrade"}


class Gone(Exception):
    """The peer closed or reset the connection."""


class Fields(list):
    """(name, value) pairs; names compare without case."""

    def get(self, name, default=None):
        return next((value for known, value in self if known.lower() == name.lower()), default)

    def without(self, *names):
        unwanted = {name.lower() for name in names}
        return Fields((name, value) for name, value in self if name.lower() not in unwanted)

    def replaced(self, name, value):
        return Fields([*self.without(name), (name, value)])


class Stream:
    """A socket with a buffer for reading ahead."""

    def __init__(self, sock):
        self.sock = sock
        self._buffer = b""

    def fill(self):
        try:
            piece = self.sock.recv(PIECE)
        except OSError as error:
            raise Gone(str(error)) from error
        self._buffer += piece
        return bool(piece)

    def line(self):
        """Without its line end; None when the peer closed before it began."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST_HEAD:
                raise Gone("endless line")
            if not self.fill():
                if self._buffer:
                    raise Gone("closed within a line")
                return None
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def some(self, most):
        """At least one byte; empty when the peer closed."""
        if not self._buffer:
            self.fill()
        piece, self._buffer = self._buffer[:most], self._buffer[most:]
        return piece

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone(str(error)) from error

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def reset(self):
        """Ends the connection with RST instead of FIN."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()


def read_fields(stream):
    fields = Fields()
    while line := stream.line():
        name, _, value = line.partition(":")
        fields.append((name.strip(), value.strip()))
    return fields


def write_head(stream, first_line, fields):
    lines = [first_line, *(f"{name}: {value}" for name, value in fields), "", ""]
    stream.send("\r\n".join(lines).encode("latin-1"))


def body_pieces(stream, fields, until_close=False):
    """The body that belongs to a head, decoded from chunks where it has them."""
    if "chunked" in fields.get("Transfer-Encoding", "").lower():
        yield from chunked_pieces(stream)
        return
    length = fields.get("Content-Length")
    left = int(length) if length is not None else None
    if left is None and not until_close:
        return
    while left is None or left > 0:
        piece = stream.some(PIECE if left is None else min(PIECE, left))
        if not piece:
            if left is None:
                return
            raise Gone("closed within a body")
        left = None if left is None else left - len(piece)
        yield piece


def chunked_pieces(stream):
    while size := int((stream.line() or "0").partition(";")[0], 16):
        while size:
            piece = stream.some(min(PIECE, size))
            if not piece:
                raise Gone("closed within a chunk")
            size -= len(piece)
            yield piece
        stream.line()
    read_fields(stream)


class Request:
    def __init__(self, method, target, fields):
        self.method, self.target, self.fields = method, target, fields
        self.path, _, self.query = target.partition("?")

    @property
    def body_size(self):
        return int(self.fields.get("Content-Length", "0"))


class Answer:
    def __init__(self, status, fields, pieces=(), reason=""):
        self.status, self.reason, self.fields, self.pieces = status, reason, fields, pieces

    @property
    def first_line(self):
        return f"HTTP/1.1 {self.status} {self.reason}".rstrip()


def read_request(stream):
    """None when the peer closed between two requests."""
    line = stream.line()
    if not line:
        return None
    method, target, _ = (line + "  ").split(" ", 2)
    return Request(method, target, read_fields(stream))


def read_answer(stream, method):
    line = stream.line()
    if not line:
        raise Gone("closed without an answer")
    _, status, reason = (line + "  ").split(" ", 2)
    fields = read_fields(stream)
    if 100 <= int(status) < 200:
        return read_answer(stream, method)
    has_body = method != "HEAD" and int(status) not in (204, 304)
    pieces = body_pieces(stream, fields, until_close=True) if has_body else ()
    return Answer(int(status), fields, pieces, reason.strip())
