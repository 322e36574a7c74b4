#!/usr/bin/env python3
"""Checks that the sources stand as clang-format would write them.

usage: format_check.py <clang-format> <source directory>
"""

import subprocess
import sys
from pathlib import Path

FOLDERS = ("core", "cli", "tests")


def sources(root: Path) -> list[str]:
    return [str(path) for folder in FOLDERS for path in sorted((root / folder).rglob("*.[hc]pp"))]


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    formatter, root = sys.argv[1], Path(sys.argv[2])
    checked = subprocess.run([formatter, "--dry-run", "-Werror", "--ferror-limit=1", *sources(root)],
                             cwd=root, capture_output=True, text=True, check=False)
    places = sorted({line.split(":")[0] for line in checked.stderr.splitlines() if ": error: " in line})
    for place in places:
        print(f"{Path(place).relative_to(root)} is not formatted: clang-format-14 -i {Path(place).relative_to(root)}")
    return 1 if places or checked.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
