"""One run of a program: wall time, processor time, peak memory."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from common import programs


@dataclasses.dataclass
class Usage:
    begun: float  # as time.monotonic() counts; this process itself hears of the end up to 50 ms later
    ended: float
    cpu: float  # seconds, user and system, with all children
    peak: float  # MiB of the largest process

    @property
    def wall(self):  # seconds
        return self.ended - self.begun


class Failed(Exception):
    """A program that should have worked did not."""


def run(argv, env=None, cwd=None, scratch=None, timeout=600):
    """Runs it to its end; Failed with what it printed when it exits with something other than 0."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        result = pathlib.Path(folder, "result")
        with open(pathlib.Path(folder, "output"), "w+b") as output:
            subprocess.run([programs.tool("run_measured"), str(result), *map(str, argv)], env={**os.environ, **(env or {})},
                           cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=timeout, check=False)
            output.seek(0)
            printed = output.read().decode(errors="replace")
        figures = json.loads(result.read_text()) if result.exists() else {"exit": 127}
    if figures["exit"] != 0:
        raise Failed(f"{' '.join(map(str, argv))}: exit {figures['exit']}\n{printed[-2000:]}")
    return Usage(figures["begun"], figures["ended"], figures["user"] + figures["system"], figures["peak_kib"] / 1024)


def say(text):
    print(text, file=sys.stderr, flush=True)
