#!/usr/bin/env python3
"""Tests the proxy with plain sockets and a registry of ten lines: what it claims to break is broken, the rest is not."""

import http.client
import http.server
import pathlib
import socket
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from harness.case import allows, fits
from harness.proxy import Network
from harness.rules import BadRule, Rule, Rules, parse_range
from text_match import line_difference

BODY = bytes(range(256)) * 400


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers GET with BODY and anything else with what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(BODY)

    def do_PUT(self):
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", "http://upstream/where?state=1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Connections break here on purpose."""


class FakeRegistry:
    authorization = None

    def __init__(self):
        self._server = QuietServer(("127.0.0.1", 0), Upstream)
        self.address = "127.0.0.1:%d" % self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.registry = FakeRegistry()
        self.addCleanup(self.registry.close)

    def network(self, when, do, **more):
        network = Network(Rules([{"when": when, "do": do}] if do else []), self.registry, **more)
        self.addCleanup(network.close)
        return network

    def exchange(self, network, method="GET", body=None, server="front", fields=None):
        connection = http.client.HTTPConnection(getattr(network, server).address, timeout=5)
        self.addCleanup(connection.close)
        connection.request(method, "/v2/x", body=body, headers=fields or {})
        answer = connection.getresponse()
        return answer, answer.read()

    def test_passes_on_what_no_fault_is_for(self):
        network = self.network({}, None)
        self.assertEqual(self.exchange(network)[1], BODY)
        self.assertEqual(self.exchange(network, "PUT", BODY)[1], BODY)
        self.assertEqual([entry.body_sent for entry in network.seen], [0, len(BODY)])

    def test_hits_the_nth_request_only(self):
        network = self.network({"method": "GET", "nth": 2}, {"answer": {"status": 503}})
        self.assertEqual([self.exchange(network)[0].status for _ in range(3)], [200, 503, 200])

    def test_resets_after_so_many_bytes_of_a_request(self):
        network = self.network({}, {"break": "reset", "at": {"request_byte": 1000}})
        with self.assertRaises(ConnectionError):
            self.exchange(network, "PUT", BODY * 50)
        self.assertEqual(network.seen[0].body_sent, 1000)

    def test_closes_after_so_many_bytes_of_an_answer(self):
        network = self.network({}, {"break": "close", "at": {"answer_byte": 1000}})
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.exchange(network)
        self.assertEqual(caught.exception.partial, BODY[:1000])

    def test_stalls_until_the_end(self):
        network = self.network({}, {"break": "stall", "at": "request"})
        with socket.create_connection(network.front.address.split(":"), timeout=0.3) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with self.assertRaises(TimeoutError):
                sock.recv(1)

    def test_limits_the_speed(self):
        network = self.network({}, {"answer_bytes_per_second": 400_000})
        begun = time.monotonic()
        self.exchange(network)
        self.assertGreater(time.monotonic() - begun, 0.2)

    def test_changes_answers(self):
        network = self.network({}, {"change": {"status": 307, "fields": {"Location": "<<other>><<location path>>"},
                                               "flip_byte": 70_000}})
        answer, body = self.exchange(network)
        self.assertEqual((answer.status, answer.headers["Location"]), (307, network.other.origin + "/where?state=1"))
        self.assertEqual([at for at, byte in enumerate(body) if byte != BODY[at]], [70_000])

    def test_damages_requests(self):
        network = self.network({}, {"flip_request_byte": 70_000})
        body = self.exchange(network, "PUT", BODY)[1]
        self.assertEqual([at for at, byte in enumerate(body) if byte != BODY[at]], [70_000])

    def test_lies_about_lengths(self):
        with self.assertRaises(http.client.IncompleteRead):
            self.exchange(self.network({}, {"change": {"declare_length": 10}}))
        answer, body = self.exchange(self.network({}, {"change": {"no_length": True}}))
        self.assertEqual((answer.headers["Content-Length"], body), (None, BODY))

    def test_answers_early_without_reading_the_body(self):
        network = self.network({}, {"answer": {"status": 413, "early": True, "body": "too large"}})
        with socket.create_connection(network.front.address.split(":"), timeout=5) as sock:
            sock.sendall(b"PUT / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
            self.assertIn(b" 413 ", sock.recv(100))

    def test_refuses_connections_until_it_listens(self):
        network = self.network({}, None, listens_after=None)
        with self.assertRaises(ConnectionRefusedError):
            self.exchange(network)

    def test_goes_down_and_comes_back(self):
        network = self.network({"nth": 1}, {"down": 0.2})
        with self.assertRaises((ConnectionError, http.client.RemoteDisconnected)):
            self.exchange(network)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                self.assertEqual(self.exchange(network)[1], BODY)
                return
            except ConnectionRefusedError:
                time.sleep(0.02)
        self.fail("it did not come back")

    def test_refuses_a_login_on_the_other_server(self):
        network = self.network({}, None)
        self.assertEqual(self.exchange(network, server="other")[0].status, 200)
        self.assertEqual(self.exchange(network, server="other", fields={"Authorization": "Basic x"})[0].status, 400)


class RuleTest(unittest.TestCase):
    def test_refuses_words_that_it_does_not_know(self):
        for document in ({"when": {"methode": "GET"}, "do": {}}, {"do": {"brake": "reset"}}, {"do": {"break": "bend"}}):
            with self.assertRaises(BadRule):
                Rule(document)

    def test_reads_ranges(self):
        self.assertEqual([parse_range(text) for text in (2, "2-3", "2-", None)],
                         [(2, 2), (2, 3), (2, float("inf")), (1, float("inf"))])

    def test_tells_which_faults_did_not_come_to_pass(self):
        rules = Rules([{"do": {"down": 1}}, {"do": {"down": 1}, "may_be_unused": True}])
        self.assertEqual(len(rules.unused()), 1)


class ExpectationTest(unittest.TestCase):
    def test_counts_requests_by_server_method_and_path(self):
        class Entry:
            server, method, path = "front", "PUT", "/v2/a/manifests/1"

        for pattern, wanted in (("PUT */manifests/*", True), ("GET|PUT *", True), ("ANY *", True), ("GET *", False),
                                ("other PUT *", False), ("other ANY *", False), ("front PUT */manifests/1", True)):
            self.assertEqual(fits(Entry, pattern), wanted, pattern)

    def test_compares_counts(self):
        self.assertTrue(allows(2, 2) and allows("<=2", 1) and allows(">=2", 3))
        self.assertFalse(allows(2, 3) or allows("<=2", 3) or allows(">=2", 1))

    def test_lets_wildcards_stand_for_text_and_lines(self):
        actual = "a 1\nb\nc\n"
        for expected, fits_well in (("a <<*>>\nb\nc\n", True), ("<<lines>>\nc\n", True), ("<<lines>>\na 1\n<<lines>>\n", True),
                                    ("a <<*>>\nc\n", False), ("<<lines>>\nb\n", False), ("", False)):
            self.assertEqual(line_difference("x", expected, actual) == "", fits_well, expected)


if __name__ == "__main__":
    unittest.main()
