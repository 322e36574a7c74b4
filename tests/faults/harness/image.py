"""Small images of known bytes, as OCI layouts on disk."""

import io
import json
import random
import tarfile

from .registry import digest_of

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"


def to_bytes(document):
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


class Image:
    """The same name and sizes always give the same bytes. `layers` are the sizes of the one file in each."""

    media_type = MANIFEST

    def __init__(self, name, layers=(1000, 3_000_000)):
        layers = [layer_bytes(f"{name}/{at}", size) for at, size in enumerate(layers)]
        config = to_bytes({
            "architecture": "amd64", "os": "linux", "config": {"Labels": {"name": name}},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]}})
        self.blobs = {digest_of(blob): blob for blob in (config, *layers)}
        self.manifest = to_bytes({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(config, CONFIG),
            "layers": [descriptor(layer, LAYER) for layer in layers]})
        self.digest = digest_of(self.manifest)

    def write_layout(self, folder):
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for digest, content in {**self.blobs, self.digest: self.manifest}.items():
            (blobs / digest.partition(":")[2]).write_bytes(content)
        (folder / "oci-layout").write_bytes(to_bytes({"imageLayoutVersion": "1.0.0"}))
        (folder / "index.json").write_bytes(to_bytes(
            {"schemaVersion": 2, "manifests": [descriptor(self.manifest, MANIFEST)]}))


    def matches(self, manifest):
        return manifest == self.manifest


class Anything:
    """What a case cannot know beforehand; that it is complete is checked of every tag."""

    manifest = None

    def matches(self, manifest):
        return manifest is not None


class Artifact:
    """Something that says something about an image, its subject."""

    media_type = MANIFEST

    def __init__(self, name, subject):
        self.subject = subject
        layer = f"about {subject.digest}: {name}".encode()
        self.blobs = {digest_of(blob): blob for blob in (b"{}", layer)}
        self.artifact_type, self.annotations = f"application/vnd.test.{name}", {"org.example.name": name}
        self.manifest = to_bytes({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": self.artifact_type, "annotations": self.annotations,
            "config": descriptor(b"{}", EMPTY), "layers": [descriptor(layer, self.artifact_type)],
            "subject": descriptor(subject.manifest, MANIFEST)})
        self.digest = digest_of(self.manifest)

    def entry(self):
        """As an index of referrers lists it."""
        return {**descriptor(self.manifest, MANIFEST), "artifactType": self.artifact_type, "annotations": self.annotations}


class ReferrersIndex:
    """The index of what refers to an image, as clients keep it under the fallback tag."""

    media_type, blobs = INDEX, {}

    def __init__(self, artifacts):
        self.entries = [artifact.entry() for artifact in artifacts]
        self.manifest = to_bytes({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries})
        self.digest = digest_of(self.manifest)

    def matches(self, manifest):
        """The same entries, in whatever order, however it was written."""
        found = json.loads(manifest or b"{}")
        by_digest = [sorted(entries, key=lambda entry: entry["digest"]) for entries in (found.get("manifests", []), self.entries)]
        return found.get("mediaType") == INDEX and by_digest[0] == by_digest[1]


def fallback_tag(digest):
    return digest.replace(":", "-")


def descriptor(content, media_type):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def layer_bytes(seed, size):
    member = tarfile.TarInfo("data-" + seed.replace("/", "-"))
    member.size = size
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(member, io.BytesIO(random.Random(seed).randbytes(size)))
    return archive.getvalue()


def layout_problems(folder, image):
    """Why a folder is not the whole layout of the image, in words; empty when it is."""
    try:
        index = json.loads((folder / "index.json").read_bytes())
        digests = [entry["digest"] for entry in index["manifests"]]
        if digests != [image.digest]:
            return [f"{folder.name} holds {digests} instead of {image.digest}"]
        found = {file.name: digest_of(file.read_bytes()) for file in (folder / "blobs/sha256").iterdir()}
    except (OSError, ValueError, KeyError) as error:
        return [f"{folder.name} is no OCI layout: {error}"]
    wrong = [f"{folder.name} holds {name} with other bytes" for name, digest in found.items() if digest != "sha256:" + name]
    wanted = {digest.partition(":")[2] for digest in [*image.blobs, image.digest]}
    return wrong + [f"{folder.name} lacks {name}" for name in sorted(wanted - found.keys())]
