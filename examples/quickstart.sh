#!/usr/bin/env bash
# From nothing to the bundled service running on a cluster, updated under load and undone:
#
#   ./examples/quickstart.sh
#
# installs what the build takes (Debian packages), builds deployctl, starts the lab (tests/lab) unless an engine, a
# registry and a cluster are configured, and releases examples/api-service from a copy in a temporary folder.
#
# To use your own: have `docker` reach an engine, KUBECONFIG name a cluster, and set DEPLOYCTL_REGISTRY to a registry
# that both reach; the service then answers at http://${QUICKSTART_HOST:-127.0.0.1}:30080.
set -euo pipefail
cd "$(dirname "$0")/.."
source_folder="$PWD"
host="${QUICKSTART_HOST:-127.0.0.1}"
port=30080

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }

install_and_build() {
  step "installing what the build takes"
  tests/install.sh build
  step "building deployctl (build/release/deployctl)"
  cmake --preset release -DDEPLOYCTL_TESTS=OFF >/dev/null
  cmake --build --preset release --target deployctl -j"$(nproc)"
  PATH="$source_folder/build/release:$PATH"
}

is_everything_configured() {
  [ -n "${DEPLOYCTL_REGISTRY:-}" ] && { [ -n "${KUBECONFIG:-}" ] || [ -f "$HOME/.kube/config" ]; } &&
    docker version >/dev/null 2>&1
}

find_the_world() {
  if is_everything_configured; then
    step "using your engine, cluster and the registry $DEPLOYCTL_REGISTRY"
    return
  fi
  step "starting the lab: a Docker Engine, a registry and a Kubernetes node on this machine"
  tests/lab/lab up
  eval "$(tests/lab/lab env)"
  DEPLOYCTL_REGISTRY="$DEPLOYCTL_LAB_REGISTRY"
}

make_project() {
  project="$(mktemp -d "${TMPDIR:-/tmp}/quickstart-XXXXXX")"
  scratch="$(mktemp -d "${TMPDIR:-/tmp}/quickstart-load-XXXXXX")"
  trap 'rm -rf "$project" "$scratch"' EXIT
  export XDG_STATE_HOME="$scratch/state"  # nothing is to be remembered of a cluster that comes and goes
  cp -r examples/api-service/. "$project"
  cd "$project"
  sed -i "s|^registry:.*|registry: $DEPLOYCTL_REGISTRY/quickstart|" deployctl.yaml
  git init -q -b main
  commit "First version"
}

commit() {
  git add -A
  git -c user.name=Quickstart -c user.email=quickstart@example.com commit -q -m "$1"
}

# Calls the service until it answers with this text: pods that are on their way out may still answer for a moment.
greet() {
  local answer attempt
  for attempt in $(seq 1 100); do
    answer="$(curl -fsS "http://$host:$port/api/hello" 2>/dev/null || true)"
    case "$answer" in *"$1"*) printf '%s\n' "$answer"; return ;; esac
    sleep 0.2
  done
  echo "after $attempt attempts the service still answers: $answer" >&2
  return 1
}

# Requests without pause until the file "stop" is there; prints how many, and how many failed.
load() {
  local total=0 failed=0
  while [ ! -e "$scratch/stop" ]; do
    total=$((total + 1))
    curl -fsS -o /dev/null --max-time 10 "http://$host:$port/api/hello" 2>/dev/null || failed=$((failed + 1))
  done
  echo "$total requests, $failed failed"
  [ "$failed" -eq 0 ]
}

under_load() {
  local result
  rm -f "$scratch/stop"
  load >"$scratch/result" &
  result=$!
  "$@" || { touch "$scratch/stop"; wait "$result" || true; return 1; }
  touch "$scratch/stop"
  if ! wait "$result"; then
    cat "$scratch/result"
    return 1
  fi
  cat "$scratch/result"
}

main() {
  install_and_build
  find_the_world
  make_project

  step "checking what is there"
  show deployctl doctor -e dev

  step "first release: build, push, roll out, watch"
  # What an earlier run of this script has left there is of another repository, with commits that this one does not have.
  show deployctl release -e dev --yes --allow-older
  greet "Hello from"

  step "a change, rolled out while requests keep coming"
  sed -i 's|GREETING:.*|GREETING: "hello again"|' deployctl.yaml
  commit "Greet again"
  under_load show deployctl release -e dev --yes
  greet "hello again"

  step "undone, while requests keep coming"
  under_load show deployctl undo -e dev --yes
  greet "Hello from"

  step "what runs now"
  show deployctl status -e dev
  show deployctl history -e dev

  step "done"
  cat <<TEXT
deployctl built the bundled service, pushed its image to $DEPLOYCTL_REGISTRY/quickstart, rolled it out, replaced it by a
changed version under load without a failed request, and went back to the first one.
It still runs: curl http://$host:$port/api/hello
TEXT
  if [ -n "${DEPLOYCTL_LAB_REGISTRY:-}" ]; then
    echo "'tests/lab/lab down' stops the lab."
  fi
}

main "$@"
