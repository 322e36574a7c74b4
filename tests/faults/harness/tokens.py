"""A token service as registries name it in their challenges (distribution "Token Authentication"): Basic in, JWT out."""

import base64
import http.server
import json
import secrets
import subprocess
import threading
import time
import urllib.parse

from .certificates import openssl
from .registry import basic

SERVICE, ISSUER = "faults-registry", "faults-tokens"
LIFE = 300


def url_safe(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def access_of(scope):
    """"repository:team/api:pull,push" as the claim for it."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {"type": kind, "name": name, "actions": actions.split(",")}


class TokenService:
    """Grants a user with the password everything, and everybody else pulling. `issued` holds every token."""

    def __init__(self, folder, user, password):
        folder.mkdir(parents=True)
        self.certificate, self._key = folder / "tokens.crt", folder / "tokens.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 30, "-subj", "/CN=tokens", "-keyout", self._key,
                "-out", self.certificate)
        body = "".join(line for line in self.certificate.read_text().splitlines() if "CERTIFICATE" not in line)
        self._header = {"typ": "JWT", "alg": "RS256", "x5c": [body]}
        self._login, self.issued = basic(user, password), []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = "127.0.0.1:%d" % self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def registry_settings(self, realm):
        return (f"auth: {{token: {{realm: {realm}, service: {SERVICE}, issuer: {ISSUER}, "
                f"rootcertbundle: {self.certificate}}}}}")

    def token(self, scopes, may_write=True):
        now = int(time.time())
        access = [access_of(scope) for scope in scopes]
        for entry in access:
            entry["actions"] = entry["actions"] if may_write else [word for word in entry["actions"] if word == "pull"]
        claims = {"iss": ISSUER, "sub": "somebody", "aud": SERVICE, "exp": now + LIFE, "nbf": now - 10, "iat": now,
                  "jti": secrets.token_hex(8), "access": access}
        signed = ".".join(url_safe(json.dumps(part).encode()) for part in (self._header, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self._key], input=signed.encode(), check=True,
                                   capture_output=True).stdout
        self.issued.append(f"{signed}.{url_safe(signature)}")
        return self.issued[-1]

    def bearer_for(self, path):
        """The header that lets the tests themselves in."""
        repository = path.removeprefix("/v2/").partition("/blobs/")[0].partition("/manifests/")[0].partition("/tags/")[0]
        return "Bearer " + self.token([f"repository:{repository}:pull,push,delete"])

    def _answer(self, target, login):
        """(status, document)"""
        if login not in (None, self._login):
            return 401, {"details": "incorrect username or password"}
        scopes = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query).get("scope", [])
        return 200, {"token": self.token(scopes, may_write=login is not None), "expires_in": LIFE}

    def _handler(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, document = service._answer(self.path, self.headers["Authorization"])
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def close(self):
        self._server.shutdown()
        self._server.server_close()
