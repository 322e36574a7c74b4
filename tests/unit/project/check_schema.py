#!/usr/bin/env python3
"""check_schema.py SCHEMA CASES: whether an independent validator finds the schema sound and judges every case as said.

CASES holds one JSON object a line: {"name": ..., "manifest": ..., "valid": true or false}.
Exit code 0: all as said; 1: not, with reasons on stdout; 77: there is no validator here (Debian: python3-jsonschema).
"""
import json
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as schema_file:
    schema = json.load(schema_file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
failures = 0
with open(sys.argv[2], encoding="utf-8") as cases:
    for line in cases:
        case = json.loads(line)
        errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(case["manifest"])]
        if bool(errors) == case["valid"]:
            failures += 1
            print(f"{case['name']}: expected {'no ' if case['valid'] else ''}errors", *errors[:5], sep="\n  ")
sys.exit(1 if failures else 0)
