"""A docker-registry process of the tests' own, and a direct look into it that no fault can disturb."""

import base64
import hashlib
import http.client
import json
import pathlib
import socket
import subprocess
import time

MANIFEST_TYPES = ", ".join((
    "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json"))
CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {folder}/store}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: "{address}"}}
{auth}
"""


def free_address():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % sock.getsockname()[1]


class Registry:
    """Runs from start() to stop(). `auth` is the YAML of its `auth:` section, `authorization` gets its owner in."""

    def __init__(self, folder, auth="", authorization=None):
        self.folder, self.auth, self.authorization = pathlib.Path(folder), auth, authorization
        self.address, self.token_service = free_address(), None
        self._process = None

    def start(self):
        self.folder.mkdir(parents=True)
        config = self.folder / "config.yml"
        config.write_text(CONFIG.format(folder=self.folder, address=self.address, auth=self.auth))
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(["docker-registry", "serve", str(config)], stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, cwd=self.folder)
        deadline = time.monotonic() + 30
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("docker-registry does not start: " + (self.folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def _answers(self):
        try:
            return self.ask("GET", "/v2/")[0] in (200, 401)
        except OSError:
            return False

    def stop(self):
        if self._process:
            self._process.kill()
            self._process.wait()

    def ask(self, method, path, body=None, fields=None):
        """(status, header fields, body); `path` may be a whole Location."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            fields = {**(fields or {}), **self._login(path)}
            connection.request(method, path, body=body, headers=fields)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def _login(self, path):
        header = self.authorization(path) if self.authorization else None
        return {"Authorization": header} if header else {}

    def put_image(self, repository, tag, image):
        """`image` is anything with blobs and a manifest; under its digest, and under a tag unless that is None."""
        for digest, content in image.blobs.items():
            status, fields, _ = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
            assert status == 202, status
            location = fields["Location"]
            path = location[location.index("/v2/"):]
            status, _, body = self.ask("PUT", f"{path}&digest={digest}", content, {"Content-Type": "application/octet-stream"})
            assert status == 201, body
        for reference in filter(None, (image.digest, tag)):
            status, _, body = self.ask("PUT", f"/v2/{repository}/manifests/{reference}", image.manifest,
                                       {"Content-Type": image.media_type})
            assert status == 201, body

    def tags(self, repository):
        status, _, body = self.ask("GET", f"/v2/{repository}/tags/list")
        return sorted(json.loads(body)["tags"] or []) if status == 200 else []

    def manifest(self, repository, reference):
        """The bytes, or None when there is nothing."""
        status, _, body = self.ask("GET", f"/v2/{repository}/manifests/{reference}", fields={"Accept": MANIFEST_TYPES})
        return body if status == 200 else None

    def incomplete(self, repository, reference):
        """What a reference lacks, in words; empty when all that it names is there with the right bytes."""
        body = self.manifest(repository, reference)
        if body is None:
            return [f"{reference} names nothing"]
        document, lacks = json.loads(body), []
        for child in document.get("manifests", []):
            lacks += self.incomplete(repository, child["digest"])
        for blob in [document["config"], *document["layers"]] if "layers" in document else []:
            status, _, content = self.ask("GET", f"/v2/{repository}/blobs/{blob['digest']}")
            if status != 200 or digest_of(content) != blob["digest"] or len(content) != blob["size"]:
                lacks.append(f"{reference} names {blob['digest']}, which the registry does not hold whole")
        return lacks


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
