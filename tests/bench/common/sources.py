"""Source folders to build images from: dep/ with much in it, app/ with twenty small files."""

import pathlib
import tarfile
import time
import uuid

from common import layouts

REAL_BYTES = 210_000_000
MEANING = {"small5k": "5,000 small files", "real": "210 MB of real files"}


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_small(folder):
    for name, content in layouts.small_files():
        _write(folder / name, content)


def _write_real(folder):
    """The largest regular files of a Debian, until it is enough."""
    with tarfile.open(layouts.debian_tree_tar()) as tar:
        files = sorted((entry for entry in tar if entry.isreg()), key=lambda entry: (-entry.size, entry.name))
        total = 0
        for entry in files:
            if total >= REAL_BYTES:
                return
            _write(folder / entry.name, tar.extractfile(entry).read())
            total += entry.size


class Source:
    """The folder of one kind, below `scratch`."""

    def __init__(self, kind, scratch):
        self.folder = pathlib.Path(scratch, f"source-{kind}")
        {"small5k": _write_small, "real": _write_real}[kind](self.folder / "dep")
        for at, (_, content) in enumerate(layouts.small_files(20, seed=6)):
            _write(self.folder / f"app/file{at}.js", content)
        (self.folder / "Dockerfile").write_text("FROM scratch\nCOPY dep /dep\nCOPY app /app\n")
        self.changed = self.folder / "app/file7.js"
        self.original = self.changed.read_bytes()

    def make_new(self):
        """Nobody has seen this content of dep/ and app/."""
        (self.folder / "dep/nonce").write_text(str(uuid.uuid4()))
        self.changed.write_bytes(self.original)
        self._let_a_moment_pass()

    def change_one_file(self):
        with open(self.changed, "ab") as file:
            file.write(f"// {uuid.uuid4()}\n".encode())
        self._let_a_moment_pass()

    @staticmethod
    def _let_a_moment_pass():
        """Nobody starts a build within a tenth of a second after saving a file, below which its times say nothing."""
        time.sleep(0.2)
