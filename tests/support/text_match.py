"""Expected text against actual text, line by line.

`<<*>>` stands for any text within a line, a line that is `<<lines>>` for any number of lines.
"""

import difflib
import re

ANY_LINES = "<<lines>>"


def line_pattern(expected):
    return ".*?".join(re.escape(part) for part in expected.split("<<*>>"))


def matches(expected, actual):
    return re.fullmatch(line_pattern(expected), actual) is not None


def all_match(expected_lines, actual_lines):
    pattern = "".join(r"(?:.*\n)*" if line == ANY_LINES else line_pattern(line) + r"\n" for line in expected_lines)
    return re.fullmatch(pattern, "".join(line + "\n" for line in actual_lines)) is not None


def line_difference(name, expected, actual):
    """Empty when every line matches; a unified diff otherwise, in which matching wildcard lines count as equal."""
    expected_lines, actual_lines = expected.splitlines(), actual.splitlines()
    if all_match(expected_lines, actual_lines):
        return ""
    shown = [
        actual_lines[at] if at < len(actual_lines) and matches(line, actual_lines[at]) else line
        for at, line in enumerate(expected_lines)
    ]
    return "\n".join(difflib.unified_diff(shown, actual_lines, f"expected {name}", f"actual {name}", lineterm=""))


def keep_wildcards(expected, actual):
    """The actual text with those expected lines kept that match it anyway: a wildcard survives an update."""
    expected_lines = expected.splitlines()
    if all_match(expected_lines, actual.splitlines()):
        return expected
    lines = [
        expected_lines[at] if at < len(expected_lines) and matches(expected_lines[at], line) else line
        for at, line in enumerate(actual.splitlines())
    ]
    return "".join(line + "\n" for line in lines)
