#!/usr/bin/env python3
"""Holds the recorded document against the rules of SPDX, and every rule against a document that breaks it.

usage: spdx_rules_test.py <source directory>
"""

import copy
import json
import sys
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1))
sys.path.insert(0, str(ROOT / "tests" / "check"))
import spdx  # noqa: E402

SAMPLE = json.loads((ROOT / "tests/unit/sbom/sample.spdx.json").read_text())


class Rules(unittest.TestCase):
    def test_the_sample_keeps_them(self):
        self.assertEqual(spdx.findings(SAMPLE), [])

    def broken(self, change, expected):
        document = copy.deepcopy(SAMPLE)
        change(document)
        found = spdx.findings(document)
        self.assertTrue(any(expected in finding for finding in found), found)

    def test_a_missing_member_is_found(self):
        self.broken(lambda d: d.pop("dataLicense"), "'dataLicense' is a required property")

    def test_an_unknown_member_is_found(self):
        self.broken(lambda d: d["files"][0].update(size=3), "'size' was unexpected")

    def test_an_identifier_used_twice_is_found(self):
        self.broken(lambda d: d["files"][0].update(SPDXID=d["files"][1]["SPDXID"]), "stands for two elements")

    def test_a_relationship_to_nothing_is_found(self):
        self.broken(lambda d: d["relationships"][1].update(relatedSpdxElement="SPDXRef-gone"), "it is not there")

    def test_a_wrong_verification_code_is_found(self):
        self.broken(lambda d: d["files"][0]["checksums"][0].update(checksumValue="0" * 40), "verification code")

    def test_a_file_without_sha1_is_found(self):
        self.broken(lambda d: d["files"][0]["checksums"].append(d["files"][0]["checksums"][0]), "exactly one SHA1")

    def test_a_file_in_no_package_is_found(self):
        self.broken(lambda d: d["relationships"].pop(), "exactly one package")

    def test_files_of_a_package_that_was_not_analysed_are_found(self):
        self.broken(lambda d: d["packages"][0].update(filesAnalyzed=False), "files were not analysed")

    def test_a_document_about_nothing_is_found(self):
        self.broken(lambda d: d["relationships"].pop(0), "describes 0 elements")

    def test_a_bad_package_url_is_found(self):
        def change(document):
            document["packages"][0]["externalRefs"][0]["referenceLocator"] = "pkg:deb/a+b@1 2"
        self.broken(change, "referenceLocator")


if __name__ == "__main__":
    unittest.main()
