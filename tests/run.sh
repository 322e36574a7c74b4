#!/usr/bin/env bash
# Installs, builds and runs the tests.
#
#   tests/run.sh            everything: unit, scenarios, readers, and end to end against the lab (starts it)
#   tests/run.sh unit       what needs no lab: unit tests, scenarios, guards
#   tests/run.sh sanitize   unit tests and scenarios under AddressSanitizer (with leaks and undefined behaviour) and
#                           ThreadSanitizer, and the lab tests where the lab is up; takes long
set -euo pipefail
cd "$(dirname "$0")/.."

part="${1:-all}"
case "$part" in
  all | unit | sanitize) ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

say() { printf '\n== %s\n' "$*"; }

jobs="$(nproc)"
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1

say "packages"
tests/install.sh test

if [ "$part" = all ]; then
  say "lab"
  tests/lab/lab up
fi

if [ "$part" = sanitize ]; then
  labels='^(unit|scenario)$'
  if lab_environment="$(tests/lab/lab env 2>/dev/null)"; then
    eval "$lab_environment"
    labels='^(unit|scenario|lab)$'
  fi
  for preset in asan tsan; do
    say "$preset"
    cmake --preset "$preset"
    cmake --build --preset "$preset" -j"$jobs"
    ctest --test-dir "build/$preset" --output-on-failure -j"$jobs" -L "$labels"
  done
  exit
fi

say "build"
cmake --preset release -DDEPLOYCTL_TESTS=ON  # the quick start builds without them
cmake --build --preset release -j"$jobs"

say "tests"
if [ "$part" = unit ]; then
  exec ctest --test-dir build/release --no-tests=error --output-on-failure -j"$jobs" -LE 'lab|e2e|example|readers'
fi
eval "$(tests/lab/lab env)"
exec ctest --test-dir build/release --no-tests=error --output-on-failure -j"$jobs" \
  --repeat "until-pass:${DEPLOYCTL_TEST_ATTEMPTS:-1}"
