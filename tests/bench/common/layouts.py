"""Images to push: OCI layouts made from fixed seeds and kept in the cache.

Each shape is two layouts, `a` and `b`: b is a with one more layer of 64 KiB.
"""

import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import tarfile
import zlib

from common import programs
from common.measure import say

MIB = 1 << 20
RECIPE = 1  # part of the cache's path: count up when what is made changes

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"

# ~200 MiB of an installed Debian, as mmdebstrap makes it.
DEBIAN_PACKAGES = "ca-certificates,python3"
EPOCH = "1700000000"


def _entry(name, size):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o644, int(EPOCH)
    return entry


def _add(tar, name, content):
    tar.addfile(_entry(name, len(content)), io.BytesIO(content))


def _random_layer(path, seed, size):
    source = random.Random(seed)
    with tarfile.open(path, "w") as tar:
        _add(tar, f"data/{seed}.bin", b"".join(source.randbytes(MIB) for _ in range(size // MIB)) or source.randbytes(size))


def small_file(source, words):
    """Something like a JavaScript module of a few kilobytes."""
    lines = []
    for _ in range(source.randrange(20, 110)):
        lines.append(f"  const {source.choice(words)} = require('./{source.choice(words)}').{source.choice(words)}("
                     f"{source.randrange(1000)});")
    return ("'use strict';\nmodule.exports = function () {\n" + "\n".join(lines) + "\n};\n").encode()


def small_files(count=5000, seed=5):
    """Pairs of name and content, as a node_modules folder has them."""
    source = random.Random(seed)
    words = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randrange(3, 12))) for _ in range(120)]
    for at in range(count):
        yield f"node_modules/{words[at % 120]}-{at % 250}/lib/{words[at % 97]}{at}.js", small_file(source, words)


def _small_files_layer(path):
    with tarfile.open(path, "w") as tar:
        for name, content in small_files():
            _add(tar, name, content)


def debian_tree_tar():
    """The root file system of a Debian with a few packages, as a tar; made once."""
    path = programs.CACHE / f"debian-{RECIPE}.tar"
    if not path.exists():
        say("making a Debian root file system (once, half a minute)")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={DEBIAN_PACKAGES}", "--format=tar", "bookworm",
                        str(partial)], env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, check=True)
        partial.rename(path)
    return path


def _debian_layers(folder):
    """The base and what a team would put on it, two layers."""
    base, app = folder / "0.tar", folder / "1.tar"
    shutil.copyfile(debian_tree_tar(), base)
    with tarfile.open(app, "w") as tar:
        _add(tar, "srv/app/server", random.Random(7).randbytes(8 * MIB))
    return [base, app]


def _layers(shape, folder):
    if shape == "small5k":
        _small_files_layer(folder / "0.tar")
        return [folder / "0.tar"]
    if shape == "real200":
        return _debian_layers(folder)
    count, size = {"one200": (1, 200 * MIB), "l20x10": (20, 10 * MIB), "l50x1": (50, MIB)}[shape]
    paths = [folder / f"{at}.tar" for at in range(count)]
    for at, path in enumerate(paths):
        _random_layer(path, 1000 * count + at, size)
    return paths


SHAPES = ["one200", "l20x10", "l50x1", "small5k", "real200"]
MEANING = {"one200": "1 layer of 200 MiB", "l20x10": "20 layers of 10 MiB", "l50x1": "50 layers of 1 MiB",
           "small5k": "1 layer, 5,000 small files", "real200": "a Debian-based image of 200 MB"}


class _Layout:
    """An OCI layout while it is filled."""

    def __init__(self, folder):
        self.folder = folder
        self.blobs = folder / "blobs/sha256"
        self.blobs.mkdir(parents=True, exist_ok=True)

    def add_layer(self, tar):
        """The layer's diffID and descriptor. Compressed as docker does it; random bytes are only wrapped, which is quicker."""
        packed = self.blobs / "packed"
        with open(tar, "rb") as source, open(packed, "wb") as sink:
            with gzip.GzipFile("", "wb", 6 if _is_compressible(tar) else 0, sink, mtime=0) as stream:
                shutil.copyfileobj(source, stream, MIB)
        return _digest_of(tar), self._keep(packed, LAYER_TYPE)

    def write(self, layers):
        """Configuration, manifest and index for layers that were added."""
        config = {"architecture": "amd64", "os": "linux", "created": "2023-11-14T22:13:20Z", "config": {"Cmd": ["/bin/true"]},
                  "rootfs": {"type": "layers", "diff_ids": [diff_id for diff_id, _ in layers]}}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": self._add_json(config, CONFIG_TYPE),
                    "layers": [descriptor for _, descriptor in layers]}
        entry = self._add_json(manifest, MANIFEST_TYPE)
        entry["annotations"] = {"org.opencontainers.image.ref.name": "bench"}
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def _add_json(self, value, media_type):
        path = self.blobs / "packed"
        path.write_text(json.dumps(value))
        return self._keep(path, media_type)

    def _keep(self, path, media_type):
        digest, size = _digest_of(path), path.stat().st_size
        path.rename(self.blobs / digest.removeprefix("sha256:"))
        return {"mediaType": media_type, "digest": digest, "size": size}


def _digest_of(path):
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _is_compressible(path):
    with open(path, "rb") as file:
        sample = file.read(4 * MIB)
    return len(zlib.compress(sample, 1)) < 0.9 * len(sample)


def _make(shape, folder):
    say(f"making {shape}: {MEANING[shape]} (once)")
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    first = _Layout(folder / "a")
    layers = [first.add_layer(tar) for tar in _layers(shape, scratch)]
    shutil.copytree(first.folder, folder / "b", copy_function=os.link)
    first.write(layers)
    _random_layer(scratch / "more.tar", 99, 64 << 10)
    second = _Layout(folder / "b")
    second.write([*layers, second.add_layer(scratch / "more.tar")])
    shutil.rmtree(scratch)


def pair(shape):
    """The two layouts' folders."""
    folder = programs.CACHE / f"layouts-{RECIPE}" / shape
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _make(shape, partial)
        partial.rename(folder)
    return folder / "a", folder / "b"


def digest_of_layout(folder):
    return json.loads((pathlib.Path(folder) / "index.json").read_text())["manifests"][0]["digest"]


def size_of_layout(folder):
    return sum(path.stat().st_size for path in (pathlib.Path(folder) / "blobs/sha256").iterdir())
