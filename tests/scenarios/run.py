#!/usr/bin/env python3
"""Runs the scenario folders beside this file against a deployctl binary (see README.md)."""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from text_match import keep_wildcards, line_difference

TIME_LIMIT = 60


def scenario_folders(prefix):
    folders = sorted(path.parent for path in HERE.glob("**/command"))
    return [folder for folder in folders if str(folder.relative_to(HERE)).startswith(prefix)]


def expectation(folder, name, default=""):
    path = folder / name
    return path.read_text(encoding="utf-8") if path.exists() else default


def environment(folder, binary, home):
    values = {
        "PATH": f"{home}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "KUBECONFIG": "/nonexistent/kubeconfig",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    }
    (home / "bin").mkdir()
    (home / "bin" / "deployctl").symlink_to(binary)
    for line in expectation(folder, "env").splitlines():
        name, _, value = line.partition("=")
        values[name] = value
    return values


def run_shell(script, folder, values):
    return subprocess.run(["bash", "-c", script], cwd=folder, env=values, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=TIME_LIMIT, check=False)


def perform(folder, binary):
    """Runs the scenario and returns (stdout, stderr, exit code, files by relative path)."""
    with tempfile.TemporaryDirectory(prefix="scenario-") as temporary:
        base = pathlib.Path(temporary).resolve()
        project, home = base / "project", base / "home"
        home.mkdir()
        if (folder / "project").exists():
            shutil.copytree(folder / "project", project, symlinks=True)
        else:
            project.mkdir()
        values = environment(folder, binary, home)
        setup = expectation(folder, "setup")
        if setup:
            ready = run_shell("set -e\n" + setup, project, values)
            if ready.returncode != 0:
                raise RuntimeError(f"setup failed: {ready.stderr.decode(errors='replace')}")
        done = run_shell(expectation(folder, "command"), project, values)

        def text(data):
            return data.decode("utf-8", errors="replace").replace(str(project), "<<project>>")

        wanted = [path.relative_to(folder / "files") for path in (folder / "files").glob("**/*") if path.is_file()]
        files = {str(name): text((project / name).read_bytes()) if (project / name).is_file() else None for name in wanted}
        return text(done.stdout), text(done.stderr), done.returncode, files


def differences(folder, outcome):
    stdout, stderr, code, files = outcome
    wanted_code = int(expectation(folder, "exit", "0"))
    found = []
    if code != wanted_code:
        found.append(f"exit code is {code}, expected {wanted_code}")
    found.append(line_difference("stdout", expectation(folder, "stdout"), stdout))
    found.append(line_difference("stderr", expectation(folder, "stderr"), stderr))
    for name, content in files.items():
        if content is None:
            found.append(f"file {name} is missing")
        else:
            found.append(line_difference(name, expectation(folder / "files", name), content))
    return [text for text in found if text]


def update(folder, outcome):
    stdout, stderr, code, files = outcome
    stdout = keep_wildcards(expectation(folder, "stdout"), stdout)
    stderr = keep_wildcards(expectation(folder, "stderr"), stderr)
    for name, content, empty in (("stdout", stdout, ""), ("stderr", stderr, ""), ("exit", f"{code}\n", "0\n")):
        if content == empty:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_text(content, encoding="utf-8")
    for name, content in files.items():
        if content is not None:
            (folder / "files" / name).write_text(content, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("prefix", nargs="?", default="")
    parser.add_argument("--update", action="store_true", help="write what came out as the new expectation")
    options = parser.parse_args()
    binary = pathlib.Path(options.binary).resolve()
    folders = scenario_folders(options.prefix)
    if not folders:
        sys.exit(f"no scenario starts with '{options.prefix}'")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        outcomes = pool.map(lambda folder: perform(folder, binary), folders)
        for folder, outcome in zip(folders, outcomes):
            name = folder.relative_to(HERE)
            if options.update:
                update(folder, outcome)
                continue
            found = differences(folder, outcome)
            if found:
                failed += 1
                print(f"FAILED {name}\n" + "\n".join(found) + "\n")
    print(f"{len(folders) - failed} scenarios passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
