"""What all cases of a run share: registries, certificates, logins. Each is made when a case first asks for it."""

import base64
import functools
import json
import re
import secrets
import ssl
import subprocess
import threading

from .certificates import Authority
from .proxy import TOKEN_REALM
from .registry import Registry, basic
from .tokens import TokenService

USER = "ada"


def subject_of(host):
    return f"IP:{host}" if re.fullmatch(r"[0-9.]+", host) else f"DNS:{host}"


class World:
    def __init__(self, folder):
        self.folder = folder
        self.password = "canary-" + secrets.token_hex(8)
        self.wrong_password = "canary-" + secrets.token_hex(8)
        self._lock, self._registries, self._contexts = threading.Lock(), {}, {}
        self._tokens = self._certificate = None

    def registry(self, kind):
        """"open", "password" (lets only the user in), or "token" (the same by tokens)."""
        makers = {"open": self._open_registry, "password": self._password_registry, "token": self._token_registry}
        with self._lock:
            if kind not in self._registries:
                registry = makers[kind]()
                registry.start()
                self._registries[kind] = registry
            return self._registries[kind]

    def _open_registry(self):
        return Registry(self.folder / "open")

    def _token_registry(self):
        self._tokens = TokenService(self.folder / "tokens", USER, self.password)
        registry = Registry(self.folder / "token", self._tokens.registry_settings(TOKEN_REALM), self._tokens.bearer_for)
        registry.token_service = self._tokens.address
        return registry

    def _password_registry(self):
        file = self.folder / "htpasswd"
        line = subprocess.run(["htpasswd", "-Bbn", USER, self.password], check=True, capture_output=True).stdout
        file.write_bytes(line)
        login = basic(USER, self.password)
        return Registry(self.folder / "password", f"auth: {{htpasswd: {{realm: faults, path: {file}}}}}", lambda _: login)

    def tls(self, kind, host):
        """None for plain http; "good", "expired", "wrong-address" and "client" are by our authority, "unknown" by another.

        "client" lets in only who has a certificate by our authority as well.
        """
        if kind is None:
            return None
        with self._lock:
            if (kind, host) not in self._contexts:
                self._contexts[kind, host] = self._context(kind, host)
            return self._contexts[kind, host]

    def _context(self, kind, host):
        if kind == "unknown":
            return Authority(self.folder / f"unknown-{host}").server_context("unknown", subject_of(host))
        address = "IP:127.0.0.9" if kind == "wrong-address" else subject_of(host)
        context = self.authority.server_context(f"{kind}-{host}", address, -1 if kind == "expired" else 30)
        if kind == "client":
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.authority.certificate)
        return context

    @functools.cached_property
    def authority(self):
        return Authority(self.folder / "ca")

    def certificate(self):
        """(certificate, key) of a server on 127.0.0.1."""
        with self._lock:
            if self._certificate is None:
                self._certificate = self.authority.issue("server")
            return self._certificate

    @staticmethod
    def settings():
        """Variables for the command: the cases would take minutes otherwise."""
        return {"DEPLOYCTL_REGISTRY_RETRY_WAIT": "20ms", "DEPLOYCTL_REGISTRY_STALL_TIMEOUT": "2s"}

    def trust(self, home, address, as_client=False):
        """Lays our authority down for the address, where podman's users have theirs; with a certificate of the user's own."""
        folder = home / ".config/containers/certs.d" / address
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes(self.authority.certificate.read_bytes())
        if as_client:
            certificate, key = self.authority.issue("client-" + address.replace(":", "-"), "email:ada@example.com")
            (folder / "client.cert").write_bytes(certificate.read_bytes())
            (folder / "client.key").write_bytes(key.read_bytes())

    def log_in(self, home, login, address):
        """Writes the user's docker credentials: "right", "wrong" or none."""
        if login is None:
            return
        password = self.password if login == "right" else self.wrong_password
        (home / ".docker").mkdir()
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        (home / ".docker" / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))

    def secrets(self):
        """No output may hold one of these."""
        passwords = (self.password, self.wrong_password)
        tokens = self._tokens.issued if self._tokens else []
        return [*passwords, *tokens, *(base64.b64encode(f"{USER}:{password}".encode()).decode() for password in passwords)]

    def close(self):
        for registry in self._registries.values():
            registry.stop()
        if self._tokens:
            self._tokens.close()
