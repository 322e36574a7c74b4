#!/usr/bin/env python3
"""Checks every #include of the program against the layers of core/modules.cmake.

A module includes only itself and modules it may depend on, core includes neither cli nor tests, and an outside library
is included only where it belongs: in the .cpp files of its module, so that no other module comes to know it.

usage: include_direction.py <source directory>
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

ALL = None  # any module

# Outside library -> the modules (or "cli") that may include it.
LIBRARIES = {
    "fmt": ALL,
    "nlohmann": ALL,  # wherever a json::Value is used
    "yaml-cpp": {"yaml"},
    "kainjow": {"templating"},
    "openssl": {"oci", "sbom"},
    "archive": {"oci"},
    "isa-l": {"oci"},
    "zlib": {"oci"},
    "zstd": {"oci"},
    "curl": {"platform"},
    "boost": {"platform"},
    "git2": {"platform"},
    "spdlog": {"execute", "platform", "cli"},
    "CLI": {"cli"},
}

# Libraries that may stand in a header: fmt is part of the vocabulary, a JSON value needs its declaration. Nothing but
# the composition root stands above platform, so its headers hide nothing from anybody.
HEADER_LIBRARIES = {"fmt", "nlohmann"}
HEADER_MODULES = {"platform", "cli"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"(?P<ours>[^"]+)"|<(?P<outside>[^>]+)>)')


class Include(NamedTuple):
    file: str  # from the source directory
    line: int
    ours: str  # "core/base/error.hpp", or ""
    outside: str  # "fmt/core.h", or ""


def read_modules(root: Path) -> list[str]:
    """The modules, lowest first."""
    text = (root / "core" / "modules.cmake").read_text()
    listed = re.search(r"set\(DEPLOYCTL_MODULES([^)]*)\)", text)
    if not listed:
        raise SystemExit("core/modules.cmake has no list DEPLOYCTL_MODULES")
    return listed.group(1).split()


def read_includes(root: Path) -> list[Include]:
    found = []
    for folder in ("core", "cli"):
        for path in sorted((root / folder).rglob("*.[hc]pp")):
            lines = path.read_text(errors="replace").splitlines()
            for number, text in enumerate(lines, start=1):
                if match := INCLUDE.match(text):
                    found.append(Include(str(path.relative_to(root)), number, match["ours"] or "", match["outside"] or ""))
    return found


def module_of(file: str) -> str:
    """The module a file of ours lies in; "cli" for everything below cli/."""
    parts = file.split("/")
    return parts[1] if parts[0] == "core" else parts[0]


def library_of(outside: str) -> str:
    """The library of <fmt/core.h> or <archive.h>; "" for the standard library's and the system's headers."""
    first = re.split(r"[/._]", outside)[0]
    return next((name for name in LIBRARIES if name in (first, outside.split("/")[0])), "")


def mistake_in_ours(include: Include, modules: list[str]) -> str:
    source, target = module_of(include.file), module_of(include.ours)
    if not include.ours.startswith(("core/", "cli/", "tests/")):
        return f'"{include.ours}" is not a path from the root of the source tree'
    if target == "tests":
        return f"{source} includes a test's file"
    if source == "cli":
        return ""
    if source not in modules:
        return f"{source} is not a module of core/modules.cmake"
    if target not in modules:
        return f"core includes {target}"
    if modules.index(target) > modules.index(source):
        return f"{source} includes {target}, which stands above it"
    return ""


def mistake_in_outside(include: Include) -> str:
    library, module = library_of(include.outside), module_of(include.file)
    if not library:
        return ""
    allowed = LIBRARIES[library]
    if allowed is not ALL and module not in allowed:
        return f"<{include.outside}> belongs in {' and '.join(sorted(allowed))}, not in {module}"
    is_header = include.file.endswith(".hpp")
    if is_header and library not in HEADER_LIBRARIES and module not in HEADER_MODULES:
        return f"<{include.outside}> stands in a header: every module that includes it comes to know the library"
    return ""


def find_mistakes(root: Path) -> list[str]:
    modules = read_modules(root)
    mistakes = []
    for include in read_includes(root):
        reason = mistake_in_ours(include, modules) if include.ours else mistake_in_outside(include)
        if reason:
            mistakes.append(f"{include.file}:{include.line}: {reason}")
    return mistakes


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    mistakes = find_mistakes(Path(sys.argv[1]))
    print("\n".join(mistakes) if mistakes else "every include goes the right way")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
