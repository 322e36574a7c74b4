#!/usr/bin/env python3
"""The guard finds what it is there for."""

import tempfile
import unittest
from pathlib import Path

from include_direction import find_mistakes

MODULES = "set(DEPLOYCTL_MODULES\n  base\n  json io\n  oci\n  project\n  platform\n)\n"


class IncludeDirection(unittest.TestCase):
    def mistakes(self, files: dict[str, str]) -> list[str]:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            for path, text in {"core/modules.cmake": MODULES, **files}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return find_mistakes(root)

    def test_accepts_what_goes_down(self):
        self.assertEqual(self.mistakes({
            "core/io/git.hpp": '#include "core/base/result.hpp"\n#include "core/io/clock.hpp"\n#include <vector>\n',
            "core/oci/digest.cpp": "#include <openssl/sha.h>\n#include <archive.h>\n#include <fmt/core.h>\n",
            "core/platform/curl.hpp": "#include <curl/curl.h>\n",
            "cli/main.cpp": '#include "core/platform/curl.hpp"\n#include "cli/app.hpp"\n#include <CLI/CLI.hpp>\n',
        }), [])

    def test_finds_an_include_that_goes_up(self):
        self.assertEqual(self.mistakes({"core/base/url.cpp": '\n#include "core/io/git.hpp"\n'}),
                         ["core/base/url.cpp:2: base includes io, which stands above it"])

    def test_finds_core_including_cli_or_tests(self):
        self.assertEqual(self.mistakes({
            "core/io/a.cpp": '#include "cli/app.hpp"\n',
            "core/io/b.cpp": '#include "tests/support/memory_file_system.hpp"\n',
            "cli/c.cpp": '#include "tests/support/memory_file_system.hpp"\n',
        }), ["core/io/a.cpp:1: core includes cli", "core/io/b.cpp:1: io includes a test's file",
             "cli/c.cpp:1: cli includes a test's file"])

    def test_finds_a_library_outside_its_module(self):
        self.assertEqual(self.mistakes({"core/io/a.cpp": "#include <git2.h>\n#include <archive_entry.h>\n"}),
                         ["core/io/a.cpp:1: <git2.h> belongs in platform, not in io",
                          "core/io/a.cpp:2: <archive_entry.h> belongs in oci, not in io"])

    def test_finds_a_library_in_a_header(self):
        self.assertEqual(self.mistakes({"core/oci/a.hpp": "#include <openssl/sha.h>\n"}),
                         ["core/oci/a.hpp:1: <openssl/sha.h> stands in a header: every module that includes it comes to "
                          "know the library"])

    def test_finds_a_folder_that_is_no_module_and_a_path_that_is_not_from_the_root(self):
        self.assertEqual(self.mistakes({"core/extra/a.cpp": '#include "core/base/url.hpp"\n',
                                        "core/io/b.cpp": '#include "clock.hpp"\n'}),
                         ["core/extra/a.cpp:1: extra is not a module of core/modules.cmake",
                          'core/io/b.cpp:1: "clock.hpp" is not a path from the root of the source tree'])


if __name__ == "__main__":
    unittest.main()
