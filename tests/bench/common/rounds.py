"""What the benchmarks of several cases share: interleaved rounds of sequences, and their figures."""

import collections

from common import table
from common.daemon import Daemon
from common.measure import run, say


def measured(argv, environment, has_daemon, cwd=None):
    """Figures of one run, a daemon's part included."""
    daemon = Daemon(has_daemon)
    daemon.forget_peak()
    before = daemon.cpu()
    used = run(argv, environment, cwd=cwd)
    return {"wall": used.wall, "cpu": used.cpu + daemon.cpu() - before, "peak": used.peak + daemon.peak()}


class Samples:
    """Figures by group (a shape), client and case, in the order they came."""

    def __init__(self):
        self.all = collections.defaultdict(list)

    def add(self, group, client, sequence):
        """`sequence` is {case: figures}."""
        for case, figures in sequence.items():
            self.all[group, client, case].append(figures)

    def of(self, group, client, case, figure):
        return [figures[figure] for figures in self.all[group, client, case] if figure in figures]

    def median(self, group, client, case, figure):
        values = self.of(group, client, case, figure)
        return table.number(table.median(values)) if values else "-"

    def count(self, group, client, case, figure):
        values = self.of(group, client, case, figure)
        return f"{table.median(values):g}" if values else "-"

    def as_list(self):
        """For a file: one object a run."""
        return [{"group": group, "client": client, "case": case, **figures}
                for (group, client, case), many in self.all.items() for figures in many]


def interleave(clients, rounds, group, take_turn):
    """Calls take_turn(client) for every client, `rounds` times over."""
    for at in range(rounds):
        say(f"{group}: round {at + 1} of {rounds}")
        for client in clients:
            take_turn(client)
