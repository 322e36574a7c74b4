"""Rollouts through an API server that drops, stalls, forgets and restarts: each ends with its one verdict."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from harness import DEPLOYCTL, SOURCE, kubectl, registry, run

sys.path.insert(0, str(SOURCE / "tests/support"))
from api_proxy import ApiProxy  # noqa: E402

GONE_EVENT = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired",
                                                     "message": "too old resource version"}}).encode() + b"\n"
GONE = json.dumps({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}).encode()
JSON = {"Content-Type": "application/json"}
KINDS = ("deployments", "replicasets", "pods", "events")

SLOW = "mkdir /tmp/www && echo ok > /tmp/www/index.html && sleep 9 && exec httpd -f -p 8080 -h /tmp/www"
SLOWER = SLOW.replace("sleep 9", "sleep 16")
CRASHING = "echo no database here; sleep 1; exit 3"


def is_watch(_, path):
    return "watch=true" in path


def is_list(_, path):
    return "watch=true" not in path and path.split("?")[0].rsplit("/", 1)[-1] in KINDS


class Case:
    """One rollout through a proxy of its own, while a fault happens."""

    def __init__(self, name, script, fault, timeout="75s", token=False, plugin=False, code=None):
        self.name, self.script, self.fault, self.timeout = name, script, fault, timeout
        self.expected = code if code is not None else 5 if script == CRASHING else 0
        self.namespace = f"e2e-resilience-{name}"
        self.proxy = ApiProxy()
        if token:
            self.proxy.required_token = "token-1"
        if plugin:
            self.proxy.use_plugin()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deployctl-e2e-"))
        health = "    health: /index.html\n" if script in (SLOW, SLOWER) else ""
        (self.folder / "deployctl.yaml").write_text(f"""project: resilience-{name}
services:
  web:
    image: {registry()}/resilience/busybox:1.36
    pin: tag
    command: [sh, -c, "{script}"]
    port: 8080
{health}environments:
  lab: {{namespace: {self.namespace}}}
""", encoding="utf-8")

    def roll_out(self):
        begun = time.monotonic()
        process = subprocess.Popen(
            [DEPLOYCTL, "--output", "json", "rollout", "-e", "lab", "--yes", "--timeout", self.timeout], cwd=self.folder,
            env={**os.environ, "KUBECONFIG": self.proxy.kubeconfig}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL)
        breaker = threading.Thread(target=self.break_it, daemon=True)
        breaker.start()
        self.stdout, self.stderr = process.communicate(timeout=300)
        self.code, self.seconds = process.returncode, time.monotonic() - begun
        self.events = [json.loads(line) for line in self.stdout.splitlines()]

    def break_it(self):
        if self.proxy.applied.wait(60):
            time.sleep(2)
            self.fault(self.proxy)

    def of_type(self, name):
        return [event for event in self.events if event["type"] == name]

    def permanent(self):
        return [event["rule"] for event in self.of_type("finding") if event["weight"] == "permanent"]

    def __str__(self):
        return (f"{self.name}: exit {self.code} after {self.seconds:.1f}s\n{self.stdout.decode()}\n{self.stderr.decode()}\n"
                + "\n".join(map(str, self.proxy.requests)))

    def close(self):
        self.proxy.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.proxy.folder, ignore_errors=True)


def drop_thrice(proxy):
    for _ in range(3):
        proxy.drop_watches()
        time.sleep(2)


def expire_by_event(proxy):
    proxy.answer_next(4, is_watch, 200, GONE_EVENT, JSON)
    proxy.drop_watches()


def expire_by_status(proxy):
    proxy.answer_next(4, is_watch, 410, GONE, JSON)
    proxy.drop_watches()


def expire_for_real(proxy):
    """The real server's own word for it."""
    proxy.old_watches = 4
    proxy.drop_watches()


def make_long_lines(proxy):
    proxy.crumbs = True
    proxy.drop_watches()
    long = [f"{name}={'x' * 100000}" for name in ("a", "b")]
    kubectl("annotate", "pods", "--all", "-n", "e2e-resilience-long-lines", *long)


def limit(proxy):
    proxy.answer_next(4, is_list, 429, b"too many requests\n", {"Content-Type": "text/plain", "Retry-After": "1"})
    proxy.answer_next(4, is_watch, 429, b"too many requests\n", {"Content-Type": "text/plain", "Retry-After": "1"})
    proxy.drop_watches()


def expire_token(proxy):
    proxy.rotate_token("token-2")
    proxy.drop_watches()


def log_out(proxy):
    """The token is refused, and the plugin that gave it gives no other; what is being watched already goes on. When the
    rollout is done, the lock has not been renewed for longer than it is believed."""
    proxy.plugin_answer.unlink()
    proxy.required_token = "token-2"


def restore_an_older_state(proxy):
    proxy.future_lists.update(KINDS)
    proxy.drop_watches()


def forget_permissions(proxy):
    body = json.dumps({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "RBAC: clusterrole not found"})
    proxy.answer_next(8, lambda method, path: is_watch(method, path) or is_list(method, path), 403, body.encode(), JSON)
    proxy.drop_watches()


def cases():
    return [
        Case("dropped", SLOW, drop_thrice),
        Case("dropped-crash", CRASHING, drop_thrice),
        Case("restarted", SLOW, lambda proxy: proxy.refuse(6)),
        Case("restarted-crash", CRASHING, lambda proxy: proxy.refuse(6)),
        Case("expired-event", SLOW, expire_by_event),
        Case("expired-status", SLOW, expire_by_status),
        Case("expired-for-real", SLOW, expire_for_real),
        Case("long-lines", SLOW, make_long_lines),
        Case("long-lines-crash", CRASHING, lambda proxy: setattr(proxy, "crumbs", True)),
        Case("limited", SLOW, limit),
        Case("token", SLOW, expire_token, token=True),
        Case("logged-out", SLOWER, log_out, token=True, plugin=True, code=8),
        Case("future", SLOW, restore_an_older_state),
        Case("stalled", SLOW, lambda proxy: proxy.stall_watches()),
        Case("stalled-crash", CRASHING, lambda proxy: proxy.stall_watches()),
        Case("forgetful", SLOW, forget_permissions),
        Case("gone-for-good", SLOW, lambda proxy: proxy.refuse(600), timeout="20s", code=9),
    ]


class Resilience(unittest.TestCase):
    def test_every_fault_leaves_one_verdict(self):
        image = f"{registry()}/resilience/busybox:1.36"
        for command in (("docker", "tag", "busybox:1.36", image), ("docker", "push", "-q", image)):
            self.assertEqual(run(command).code, 0)
        all_cases = cases()
        for case in all_cases:
            kubectl("delete", "namespace", case.namespace, "--ignore-not-found", "--wait=true")
            kubectl("create", "namespace", case.namespace)
            self.addCleanup(case.close)
            self.addCleanup(kubectl, "delete", "namespace", case.namespace, "--wait=false")
        threads = [threading.Thread(target=case.roll_out) for case in all_cases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for case in all_cases:
            with self.subTest(case.name):
                self.assert_one_verdict(case)

    def assert_one_verdict(self, case):
        print(f"{case.name}: exit {case.code} after {case.seconds:.1f}s, {len(case.proxy.requests)} requests", flush=True)
        self.assertEqual(case.code, case.expected, case)
        self.assertEqual(case.permanent(), ["container-crashes"] if case.expected == 5 else [], case)
        ends = [event for event in case.of_type("step_finished") if event["step"] == "rollout:web"]
        self.assertEqual(len(ends), 1, case)
        if case.name == "logged-out":
            self.assertIn("the session has expired", case.stdout.decode(), case)
        if case.name == "expired-for-real":
            self.assertGreater(case.proxy.gone, 0, case)


if __name__ == "__main__":
    unittest.main(verbosity=2)
