#!/usr/bin/env python3
"""Whether documents keep the rules of SPDX 2.3 in its JSON form, as far as we write it.

The shape is held against a JSON Schema with the members, demands and word lists of the specification's own schema;
what no schema can say (identifiers, references, verification codes) is checked here.

usage: spdx.py DOCUMENT…        exit code 1 and a line on stdout for each rule that is broken
"""

import hashlib
import json
import re
import sys
from collections import Counter

from jsonschema import Draft7Validator, FormatChecker

WORDS = {"type": "string", "minLength": 1}
ELEMENT_ID = {"type": "string", "pattern": r"^SPDXRef-[A-Za-z0-9.\-]+$"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
LICENSE = {"type": "string", "minLength": 1}


def record(required, **members):
    return {"type": "object", "required": required, "properties": members, "additionalProperties": False}


def list_of(items, at_least=0):
    return {"type": "array", "items": items, "minItems": at_least}


CHECKSUM = record(
    ["algorithm", "checksumValue"],
    algorithm={"enum": ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "MD5"]},
    checksumValue={"type": "string", "pattern": "^[0-9a-f]+$"},
)
EXTERNAL_REFERENCE = record(
    ["referenceCategory", "referenceLocator", "referenceType"],
    referenceCategory={"enum": ["SECURITY", "PACKAGE-MANAGER", "PERSISTENT-ID", "OTHER"]},
    referenceLocator={"type": "string", "pattern": r"^\S+$"},
    referenceType=WORDS,
    comment=WORDS,
)
PACKAGE = record(
    ["SPDXID", "name", "downloadLocation"],
    SPDXID=ELEMENT_ID,
    name=WORDS,
    versionInfo=WORDS,
    packageFileName=WORDS,
    supplier={"type": "string", "pattern": r"^(NOASSERTION|(Person|Organization): .+)$"},
    originator={"type": "string", "pattern": r"^(NOASSERTION|(Person|Organization): .+)$"},
    downloadLocation={"type": "string", "pattern": r"^(NOASSERTION|NONE|[a-z+]+:\S+)$"},
    filesAnalyzed={"type": "boolean"},
    packageVerificationCode=record(
        ["packageVerificationCodeValue"],
        packageVerificationCodeValue={"type": "string", "pattern": "^[0-9a-f]{40}$"},
        packageVerificationCodeExcludedFiles=list_of(WORDS),
    ),
    checksums=list_of(CHECKSUM),
    homepage={"type": "string", "pattern": r"^(NOASSERTION|NONE|https?://\S+)$"},
    sourceInfo=WORDS,
    licenseConcluded=LICENSE,
    licenseDeclared=LICENSE,
    licenseInfoFromFiles=list_of(LICENSE),
    licenseComments=WORDS,
    copyrightText=WORDS,
    summary=WORDS,
    description=WORDS,
    comment=WORDS,
    externalRefs=list_of(EXTERNAL_REFERENCE),
    attributionTexts=list_of(WORDS),
    primaryPackagePurpose={
        "enum": ["APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING-SYSTEM", "DEVICE", "FIRMWARE",
                 "SOURCE", "ARCHIVE", "FILE", "INSTALL", "OTHER"]
    },
    releaseDate=TIME,
    builtDate=TIME,
    validUntilDate=TIME,
)
FILE = record(
    ["SPDXID", "fileName", "checksums"],
    SPDXID=ELEMENT_ID,
    fileName={"type": "string", "pattern": r"^\./[\s\S]+$"},
    fileTypes=list_of(
        {"enum": ["SOURCE", "BINARY", "ARCHIVE", "APPLICATION", "AUDIO", "IMAGE", "TEXT", "VIDEO", "DOCUMENTATION",
                  "SPDX", "OTHER"]}
    ),
    checksums=list_of(CHECKSUM, 1),
    licenseConcluded=LICENSE,
    licenseInfoInFiles=list_of(LICENSE),
    licenseComments=WORDS,
    copyrightText=WORDS,
    comment=WORDS,
    noticeText=WORDS,
    fileContributors=list_of(WORDS),
    attributionTexts=list_of(WORDS),
)
RELATIONSHIP = record(
    ["spdxElementId", "relatedSpdxElement", "relationshipType"],
    spdxElementId=ELEMENT_ID,
    relatedSpdxElement={"type": "string", "pattern": r"^(SPDXRef-[A-Za-z0-9.\-]+|NONE|NOASSERTION)$"},
    relationshipType={
        "enum": ["DESCRIBES", "DESCRIBED_BY", "CONTAINS", "CONTAINED_BY", "DEPENDS_ON", "DEPENDENCY_OF",
                 "GENERATES", "GENERATED_FROM", "STATIC_LINK", "DYNAMIC_LINK", "PACKAGE_OF", "FILE_ADDED", "OTHER"]
    },
    comment=WORDS,
)
DOCUMENT = record(
    ["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"],
    spdxVersion={"const": "SPDX-2.3"},
    dataLicense={"const": "CC0-1.0"},
    SPDXID={"const": "SPDXRef-DOCUMENT"},
    name=WORDS,
    documentNamespace={"type": "string", "pattern": r"^https?://[^#\s]+$"},
    creationInfo=record(
        ["created", "creators"],
        created=TIME,
        creators=list_of({"type": "string", "pattern": r"^(Person|Organization|Tool): .+$"}, 1),
        comment=WORDS,
        licenseListVersion={"type": "string", "pattern": r"^\d+\.\d+$"},
    ),
    comment=WORDS,
    packages=list_of(PACKAGE),
    files=list_of(FILE),
    relationships=list_of(RELATIONSHIP),
)

DIGITS = {"SHA1": 40, "SHA224": 56, "SHA256": 64, "SHA384": 96, "SHA512": 128, "MD5": 32}
PURL = re.compile(r"^pkg:[a-z][a-z0-9.+-]*/[A-Za-z0-9.\-_~%/]+(@[A-Za-z0-9.\-_~%:]+)?(\?[A-Za-z0-9.\-_~%=&/:]+)?$")


def shape_findings(document):
    for error in Draft7Validator(DOCUMENT, format_checker=FormatChecker()).iter_errors(document):
        yield f"{'/'.join(map(str, error.absolute_path)) or 'document'}: {error.message[:200]}"


def elements(document):
    yield from document.get("packages", [])
    yield from document.get("files", [])


def identifier_findings(document):
    ids = {document["SPDXID"]}
    for element in elements(document):
        if element["SPDXID"] in ids:
            yield f"{element['SPDXID']}: stands for two elements"
        ids.add(element["SPDXID"])
    for relationship in document.get("relationships", []):
        for end in ("spdxElementId", "relatedSpdxElement"):
            if relationship[end].startswith("SPDXRef-") and relationship[end] not in ids:
                yield f"{relationship[end]}: a relationship names it, but it is not there"


def checksum_findings(document):
    for element in elements(document):
        for checksum in element.get("checksums", []):
            if len(checksum["checksumValue"]) != DIGITS[checksum["algorithm"]]:
                yield f"{element['SPDXID']}: {checksum['algorithm']} has the wrong length"
    for file in document.get("files", []):
        if [c["algorithm"] for c in file["checksums"]].count("SHA1") != 1:
            yield f"{file['SPDXID']}: a file has exactly one SHA1 (clause 8.4)"


def sha1_of(file):
    return next(c["checksumValue"] for c in file["checksums"] if c["algorithm"] == "SHA1")


def files_below(start, contains, files):
    """Every file that a package contains, itself or through packages in it."""
    found, left, seen = [], [start], set()
    while left:
        for child in contains.get(left.pop(), []):
            if child in files:
                found.append(files[child])
            elif child not in seen:
                seen.add(child)
                left.append(child)
    return found


def verification_findings(document):
    files = {f["SPDXID"]: f for f in document.get("files", [])}
    contains = {}
    for relationship in document.get("relationships", []):
        if relationship["relationshipType"] == "CONTAINS":
            contains.setdefault(relationship["spdxElementId"], []).append(relationship["relatedSpdxElement"])
    for package in document.get("packages", []):
        below = files_below(package["SPDXID"], contains, files)
        code = package.get("packageVerificationCode", {}).get("packageVerificationCodeValue")
        if package.get("filesAnalyzed", True):
            wanted = hashlib.sha1("".join(sorted(map(sha1_of, below))).encode()).hexdigest()
            if code != wanted:
                yield f"{package['SPDXID']}: the verification code is not that of its {len(below)} files (clause 7.9)"
        elif code or below:
            yield f"{package['SPDXID']}: files were not analysed, so it can have neither files nor a code (clause 7.8)"
    contained = Counter(id for ids in contains.values() for id in ids)
    for id in files:
        if contained[id] != 1:
            yield f"{id}: a file is in exactly one package"


def description_findings(document):
    described = [r for r in document.get("relationships", [])
                 if r["relationshipType"] == "DESCRIBES" and r["spdxElementId"] == "SPDXRef-DOCUMENT"]
    if len(described) != 1:
        yield f"the document describes {len(described)} elements instead of one (clause 11.1)"


def reference_findings(document):
    for package in document.get("packages", []):
        for reference in package.get("externalRefs", []):
            if reference["referenceType"] == "purl" and not PURL.match(reference["referenceLocator"]):
                yield f"{package['SPDXID']}: {reference['referenceLocator']} is no package URL"


def findings(document):
    found = list(shape_findings(document))
    if found:
        return found
    for rule in (identifier_findings, checksum_findings, verification_findings, description_findings,
                 reference_findings):
        found.extend(rule(document))
    return found


def main(paths):
    broken = 0
    for path in paths:
        with open(path, encoding="utf-8") as text:
            for finding in findings(json.load(text)):
                broken += 1
                print(f"{path}: {finding}")
    return 1 if broken else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
