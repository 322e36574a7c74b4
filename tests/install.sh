#!/usr/bin/env bash
# Installs the Debian packages that building and testing deployctl takes. The lab installs its own (tests/lab).
#
#   tests/install.sh build   what compiling takes
#   tests/install.sh test    that, and what the tests call
#   tests/install.sh bench   what compiling takes, and what the benchmarks compare with (tests/bench)
set -euo pipefail

build_packages=(
  g++ cmake ninja-build pkg-config ccache git ca-certificates
  libcli11-dev libyaml-cpp-dev libcurl4-openssl-dev nlohmann-json3-dev libgit2-dev libspdlog-dev libfmt-dev
  libssl-dev libkainjow-mustache-dev libarchive-dev libisal-dev libzstd-dev zlib1g-dev libboost-dev
)
test_packages=(
  libgtest-dev libgmock-dev libsqlite3-dev
  clang-format python3 python3-yaml python3-jsonschema shellcheck jq curl skopeo docker-compose podman zstd
  docker-registry apache2-utils openssl nginx
)
bench_packages=(
  libgtest-dev libgmock-dev python3 docker-registry skopeo buildah mmdebstrap isal openssl
)

wanted() {
  case "${1:-}" in
    build) printf '%s\n' "${build_packages[@]}" ;;
    test)
      printf '%s\n' "${build_packages[@]}" "${test_packages[@]}"
      # Node.js from elsewhere brings its own npm, which Debian's package would collide with.
      command -v npm >/dev/null || printf '%s\n' nodejs npm
      ;;
    bench)
      printf '%s\n' "${build_packages[@]}" "${bench_packages[@]}"
      # docker comes with the lab, which runs the engine.
      command -v kubectl >/dev/null || printf '%s\n' kubernetes-client
      ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
}

missing_of() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$package"
  done
}

main() {
  local packages missing sudo=()
  mapfile -t packages < <(wanted "${1:-}")
  mapfile -t missing < <(missing_of "${packages[@]}")
  [ "${#missing[@]}" -gt 0 ] || exit 0
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  echo "installing from Debian's packages: ${missing[*]}"
  "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=600 update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

[ "$#" -gt 0 ] || wanted
main "$@"
