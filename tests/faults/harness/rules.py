"""Faults as data: which request of a run is meant, and what to do with it. README.md is the reference."""

import fnmatch
import threading

MATCHERS = {"server", "method", "path", "query", "body_from", "header", "nth"}
ACTIONS = {"name", "answer", "carry_out", "change", "break", "at", "request_bytes_per_second", "answer_bytes_per_second",
           "flip_request_byte", "request_fields", "drop_query", "expire_session", "make_stale", "close_after", "down",
           "lost_update"}
CHANGES = {"status", "fields", "body", "flip_byte", "encode", "declare_length", "no_length"}
BREAKS = {"reset", "close", "stall"}


class BadRule(Exception):
    pass


def check_keys(where, keys, known):
    unknown = set(keys) - known
    if unknown:
        raise BadRule(f"{where} knows no {', '.join(sorted(unknown))} (only {', '.join(sorted(known))})")


def parse_range(text):
    """1, "2-3", "2-" or None as (first, last)."""
    if text is None:
        return 1, float("inf")
    first, dash, last = str(text).partition("-")
    if not dash:
        return int(first), int(first)
    return int(first), int(last) if last else float("inf")


def has_field(fields, wanted):
    """"Name: pattern", or None for any fields."""
    if wanted is None:
        return True
    name, _, pattern = wanted.partition(": ")
    value = fields.get(name)
    return value is not None and fnmatch.fnmatchcase(value, pattern)


class Rule:
    def __init__(self, document):
        check_keys("a fault", document, {"when", "do", "may_be_unused"})
        self.when, self.do = document.get("when", {}), document["do"]
        check_keys("when", self.when, MATCHERS)
        check_keys("do", self.do, ACTIONS)
        check_keys("change", self.do.get("change", {}), CHANGES)
        if self.do.get("break", "reset") not in BREAKS:
            raise BadRule(f"break is one of {', '.join(sorted(BREAKS))}")
        self.first, self.last = parse_range(self.when.get("nth"))
        self.may_be_unused = document.get("may_be_unused", False)
        self.seen, self.came_to_pass = 0, False

    @property
    def waits_for_a_byte(self):
        """Whether it is the body that decides if anything happens: it may be too short."""
        return isinstance(self.do.get("at"), dict) or "flip_request_byte" in self.do or "flip_byte" in self.do.get("change", {})

    @property
    def name(self):
        return self.do.get("name") or self.do.get("break") or next(iter(self.do))

    def fits(self, server, request):
        when = self.when
        return (server == when.get("server", "front")
                and request.method in when.get("method", request.method).split("|")
                and fnmatch.fnmatchcase(request.path, when.get("path", "*"))
                and fnmatch.fnmatchcase(request.query, when.get("query", "*"))
                and request.body_size >= when.get("body_from", 0)
                and has_field(request.fields, when.get("header")))

    def take(self, server, request):
        """Whether it is this request's turn; counts those that fit."""
        if not self.fits(server, request):
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last

    def __str__(self):
        when = " ".join(f"{key}={value}" for key, value in self.when.items())
        return f"{self.name} when {when or 'anything'}"


class Rules:
    """The faults of a case. The first whose turn it is decides; every one that fits counts the request."""

    def __init__(self, documents):
        self._rules = [Rule(document) for document in documents]
        self._lock = threading.Lock()

    def rule_for(self, server, request):
        with self._lock:
            due = [rule for rule in self._rules if rule.take(server, request)]
        rule = due[0] if due else Rule({"do": {}})
        rule.came_to_pass = rule.came_to_pass or not rule.waits_for_a_byte
        return rule

    def unused(self):
        return [rule for rule in self._rules if not rule.came_to_pass and not rule.may_be_unused]
