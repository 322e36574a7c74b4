"""Reads lines of {"value": …, "text": …} and fails unless PyYAML loads every text as its value."""

import json
import sys

import yaml


def main(path):
    failures = 0
    with open(path, encoding="utf-8") as cases:
        for number, line in enumerate(cases):
            case = json.loads(line)
            try:
                loaded = yaml.safe_load(case["text"])
            except yaml.YAMLError as error:
                loaded = error
            if repr(loaded) != repr(case["value"]):
                failures += 1
                print(f"case {number}: {case['text']!r}\n  wanted {case['value']!r}\n  loaded {loaded!r}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
