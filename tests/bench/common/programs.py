"""Where the measured programs and our own tools are."""

import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("DEPLOYCTL_BENCH_BUILD", SOURCE / "build/release"))
CACHE = pathlib.Path(os.environ.get("DEPLOYCTL_BENCH_CACHE", pathlib.Path.home() / ".cache/deployctl-bench"))

DEPLOYCTL = os.environ.get("DEPLOYCTL", str(BUILD / "deployctl"))


def tool(name):
    """A program of the CMake target bench_tools."""
    path = BUILD / f"bench_{name}"
    if not path.exists():
        sys.exit(f"{path} is not there: cmake --preset release && cmake --build build/release --target bench_tools deployctl")
    return str(path)


def find(name):
    """A peer's path, or nothing. Debian's docker is preferred to one that stands before it on PATH."""
    if name == "docker" and os.access("/usr/bin/docker", os.X_OK):
        return "/usr/bin/docker"
    return shutil.which(name)


def version(argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return "?"
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else "?"


def machine():
    """One line about where this ran."""
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), "unknown processor")
    memory = int(open("/proc/meminfo", encoding="utf-8").readline().split()[1]) >> 20
    return f"{os.cpu_count()} x {model}, {memory} GiB, kernel {os.uname().release}"
