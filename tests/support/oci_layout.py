#!/usr/bin/env python3
"""Small OCI layouts for tests, written without any image tool; the same calls give the same bytes.

usage: oci_layout.py DIRECTORY    writes the layouts of tests/scenarios/image into it
"""

import gzip
import hashlib
import io
import json
import pathlib
import sys
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME = "org.opencontainers.image.ref.name"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files):
    """A tar of {path: bytes, (bytes, mode) or "-> target"}, in that order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content.removeprefix("-> ")
                archive.addfile(entry)
                continue
            data, entry.mode = content if isinstance(content, tuple) else (content, 0o644)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class Layout:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        (self.directory / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (self.directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.manifests = []
        self._write_index()

    def blob(self, data, media_type):
        digest = digest_of(data)
        (self.directory / "blobs/sha256" / digest.removeprefix("sha256:")).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def document(self, value, media_type):
        return self.blob(json.dumps(value, separators=(",", ":")).encode(), media_type)

    def layer(self, data, compress=False):
        if not compress:
            return self.blob(data, LAYER)
        return self.blob(gzip.compress(data, mtime=0), LAYER + "+gzip")

    def image(self, layers, settings=None, history=None, architecture="amd64", compress=False, name=None):
        """Layers are tars; returns the manifest's descriptor with its platform."""
        config = {
            "created": "2026-01-02T03:04:05Z", "architecture": architecture, "os": "linux", "config": settings or {},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
            "history": history or [{"created_by": f"COPY {at}"} for at in range(len(layers))],
        }
        descriptor = self.document({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": self.document(config, CONFIG),
            "layers": [self.layer(layer, compress) for layer in layers],
        }, MANIFEST)
        descriptor["platform"] = {"os": "linux", "architecture": architecture}
        return self.named(descriptor, name)

    def index(self, manifests, name=None):
        return self.named(self.document({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}, INDEX), name)

    def named(self, descriptor, name):
        if name:
            self.manifests.append({**descriptor, "annotations": {NAME: name}})
            self._write_index()
        return descriptor

    def _write_index(self):
        text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests})
        (self.directory / "index.json").write_text(text)


def write_scenario_layouts(directory):
    layout = Layout(directory)
    base = tar_of({"etc/os-release": b"ID=tiny\n", "bin/sh": (b"#" * 1500, 0o755)})
    steps = [{"created_by": "ADD base /"}, {"created_by": "ENV A=b", "empty_layer": True}, {"created_by": "COPY app /"}]
    settings = {"User": "65532", "Env": ["PATH=/bin", "MODE=prod"], "Entrypoint": ["/app"], "Cmd": ["serve"],
                "ExposedPorts": {"8080/tcp": {}}, "WorkingDir": "/srv", "Labels": {"org.opencontainers.image.version": "1"}}
    layout.image([base, tar_of({"app": (b"one" * 400, 0o755), "conf": b"a=1\n", "old": b"x"})], settings, steps, name="v1")
    layout.image([base, tar_of({"app": (b"second" * 400, 0o755), "conf": b"a=2\n", "new": "-> app"})],
                 {**settings, "Cmd": ["serve", "--fast"]}, steps, name="v2")
    layout.index([layout.image([base], settings, steps[:1]), layout.image([base], settings, steps[:1], "arm64")], name="all")


if __name__ == "__main__":
    write_scenario_layouts(pathlib.Path(sys.argv[1]) / "api")
