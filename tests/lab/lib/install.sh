# shellcheck shell=bash
# Debian packages and the Kubernetes binaries.

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} > 0)) || return 0
  long_step packages "installing ${#missing[@]} Debian packages" '2 min' "$lab_cache/logs/packages.log" install_quietly "${missing[@]}"
}

missing_packages() {
  comm -23 <(wanted_packages | sort) <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort)
}

# Debian's kubernetes-client cannot be installed beside another vendor's package of /usr/bin/kubectl.
wanted_packages() {
  grep -v '^#' "$lab_source/packages.txt"
  [[ -x /usr/bin/kubectl ]] || echo kubernetes-client
}

install_quietly() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600)
  forbid_service_starts
  "${apt[@]}" update
  "${apt[@]}" install -y --no-install-recommends "$@"
  allow_service_starts
}

# The packages would start a dockerd, an etcd and a registry of their own beside the lab's.
forbid_service_starts() {
  [[ ! -e /usr/sbin/policy-rc.d ]] || return 0
  printf '#!/bin/sh\n# deployctl-lab\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
}

allow_service_starts() {
  ! grep -qs '^# deployctl-lab$' /usr/sbin/policy-rc.d || rm /usr/sbin/policy-rc.d
}

# The binaries are kept by version and recipe, outside of the state, so they are built once on a machine.
kubernetes_binaries() {
  local recipe=$lab_source/kubernetes/build.sh
  echo "$lab_cache/kubernetes-1.20.2-$(sha256sum < "$recipe" | head -c 12)"
}

build_kubernetes() {
  local binaries
  binaries=$(kubernetes_binaries)
  [[ ! -d $binaries ]] || return 0
  long_step kubernetes 'building Kubernetes 1.20.2' '5 min' "$lab_cache/logs/kubernetes-build.log" \
    "$lab_source/kubernetes/build.sh" "$binaries" "$lab_scratch/kubernetes"
}
