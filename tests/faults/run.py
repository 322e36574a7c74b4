#!/usr/bin/env python3
"""Runs the cases beside this file: deployctl against a real registry behind a proxy that breaks things (see README.md)."""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from harness.case import load_all, perform
from harness.nginx import is_installed as has_nginx
from harness.rules import BadRule
from harness.world import World
from text_match import keep_wildcards

SKIPPED = 77
PROGRAMS = ("docker-registry", "openssl", "htpasswd")


def report(case, outcome, is_verbose):
    if outcome.problems or is_verbose:
        print(f"{'FAILED' if outcome.problems else 'ok'} {case.name} ({outcome.seconds:.1f} s)")
        if about := case.get("about"):
            print(f"  {about}")
        for problem in outcome.problems:
            print("\n".join("  " + line for line in problem.splitlines()))
        print("  requests:")
        for entry in outcome.network.seen:
            print(f"    {entry.at - outcome.network.seen[0].at:6.3f} {entry}")
        print(flush=True)


def update(case, outcome):
    for name, text, empty in (("stdout", outcome.stdout, ""), ("stderr", outcome.stderr, ""), ("exit", f"{outcome.code}\n", "0\n")):
        text = text if name == "exit" else keep_wildcards(case.text(name), text)
        if text == empty:
            (case.folder / name).unlink(missing_ok=True)
        else:
            (case.folder / name).write_text(text, encoding="utf-8")


def run_all(cases, binary, options):
    failed = 0
    with tempfile.TemporaryDirectory(prefix="faults-world-", dir=memory_folder()) as folder:
        world = World(pathlib.Path(folder))
        try:
            with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
                for case, outcome in zip(cases, pool.map(lambda case: perform(case, world, binary), cases)):
                    if options.update:
                        update(case, outcome)
                    failed += bool(outcome.problems)
                    report(case, outcome, options.verbose)
        finally:
            world.close()
    return failed


def memory_folder():
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("prefix", nargs="?", default="", help="only cases whose name starts so")
    parser.add_argument("--update", action="store_true", help="write stdout, stderr and exit as they came out")
    parser.add_argument("--verbose", action="store_true", help="show the requests of every case")
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count(), help="cases at the same time")
    options = parser.parse_args()
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        print(f"skipped: {', '.join(missing)} not installed")
        sys.exit(SKIPPED)
    try:
        cases = load_all(HERE, options.prefix)
    except BadRule as error:
        sys.exit(str(error))
    if not cases:
        sys.exit(f"no case starts with '{options.prefix}'")
    if without := [case.name for case in cases if case.get("nginx")] if not has_nginx() else []:
        print(f"left out as nginx is not installed: {', '.join(without)}")
        cases = [case for case in cases if case.name not in without]
    failed = run_all(cases, pathlib.Path(options.binary).resolve(), options)
    print(f"{len(cases) - failed} cases passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
