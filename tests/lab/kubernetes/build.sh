#!/usr/bin/env bash
# Builds the five Kubernetes server binaries and the pause program from Debian's source package
# into OUTPUT, working in SCRATCH.
#
#   build.sh OUTPUT SCRATCH
#
# This file is the recipe: its hash is part of the cache key, so an edit here means a new build.
set -euo pipefail

readonly upstream_version=1.20.2
readonly binaries=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)
readonly debian_gocode=/usr/share/gocode/src

main() {
  local output=$1 scratch=$2
  rm -rf "$scratch"
  mkdir -p "$scratch"
  cd "$scratch"
  fetch_source
  cd source
  require_version
  replace_reflect2
  name_the_version
  compile
  install_to "$output"
  rm -rf "$scratch"
}

# The source package comes through an apt configuration of its own, so that the machine's list of
# package sources stays as it is.
fetch_source() {
  mkdir -p lists/partial
  echo 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' > sources.list
  local own_sources=(
    -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$PWD/lists" -o APT::Sandbox::User=root
  )
  apt-get "${own_sources[@]}" update
  apt-get "${own_sources[@]}" source --download-only --only-source kubernetes
  dpkg-source --no-check --extract ./*.dsc source
}

require_version() {
  dpkg-parsechangelog --show-field Version | grep -qF "really$upstream_version-" || {
    echo "Debian's source package is $(dpkg-parsechangelog --show-field Version), this recipe is for $upstream_version" >&2
    return 1
  }
}

# The vendored reflect2 1.0.1 corrupts memory when it is compiled by Go 1.18 or later: the API server
# dies while it decodes a JSON list. Debian's own package has 1.0.2, which does not.
replace_reflect2() {
  local vendored=vendor/github.com/modern-go/reflect2
  rm "$vendored"/*.go "$vendored"/*.s
  cp "$debian_gocode"/github.com/modern-go/reflect2/*.go "$debian_gocode"/github.com/modern-go/reflect2/*.s "$vendored"/
}

# There is no git history to read the version from, and clients do look at it.
name_the_version() {
  cat > version.sh <<VERSION
KUBE_GIT_COMMIT='debian'
KUBE_GIT_TREE_STATE='clean'
KUBE_GIT_VERSION='v$upstream_version'
KUBE_GIT_MAJOR='1'
KUBE_GIT_MINOR='20'
VERSION
}

compile() {
  unset GOROOT
  export GOPATH=$PWD/.go GOCACHE=$PWD/.gocache GOPROXY=off GOFLAGS='' CGO_ENABLED=0
  export KUBE_GIT_VERSION_FILE=$PWD/version.sh
  mkdir -p "$GOPATH/src/k8s.io"
  ln -s "$PWD" "$GOPATH/src/k8s.io/kubernetes"
  cd "$GOPATH/src/k8s.io/kubernetes"
  make WHAT="${binaries[*]/#/cmd/}" GOLDFLAGS='-s -w'
  gcc -Os -Wall -static -DVERSION=3.2 -o pause build/pause/linux/pause.c
  strip pause
}

install_to() {
  local output=$1 built
  built=$(dirname "$(find _output -type f -name kube-apiserver | head -n 1)")
  rm -rf "$output.partial"
  mkdir -p "$output.partial"
  cp "${binaries[@]/#/$built/}" pause "$output.partial"
  rm -rf "$output"
  mv "$output.partial" "$output"
}

main "$@"
