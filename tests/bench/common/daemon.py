"""What dockerd and containerd use while a client waits for them. On an engine that others use too, their work counts."""

import os
import pathlib
import socket
import struct

TICKS = os.sysconf("SC_CLK_TCK")


def engine_socket():
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


def has_engine():
    try:
        return _listener(engine_socket()) > 0
    except OSError:
        return False


def _listener(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        return struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def _parent(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def _name(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


class Daemon:
    """The engine's processes; nothing at all (zero use) for clients that have none."""

    def __init__(self, is_used=True):
        self.pids = self._engine() if is_used else []

    @staticmethod
    def _engine():
        dockerd = _listener(engine_socket())
        others = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
        pids = [dockerd]
        for pid in others:
            try:
                if _name(pid) == "containerd" and _parent(pid) in (dockerd, 1):
                    pids.append(pid)
            except OSError:
                continue
        return pids

    def forget_peak(self):
        for pid in self.pids:
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def cpu(self):
        total = 0
        for pid in self.pids:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def peak(self):
        """MiB, all of its processes together."""
        total = 0
        for pid in self.pids:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return total / 1024
