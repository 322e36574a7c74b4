# shellcheck shell=bash
# Mounts, control groups and directories the lab made outside of its state.

# Unmounts a directory and everything in it.
unmount_below() {
  unmount_inside "$1"
  ! mountpoint -q "$1" || unmount "$1"
}

# Unmounts everything in a directory, the deepest first. There may be several mounts at one place.
unmount_inside() {
  local mounts mount
  while mounts=$(mounts_inside "$1") && [[ -n $mounts ]]; do
    while read -r mount; do
      unmount "$mount"
    done <<< "$mounts"
  done
}

unmount() { umount "$1" 2> /dev/null || umount --lazy "$1" || fail leftovers "$1 cannot be unmounted"; }

mounts_inside() {
  awk -v top="$1/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -ru
}

remove_control_groups() {
  local group
  for group in /sys/fs/cgroup/deployctl-lab /sys/fs/cgroup/*/deployctl-lab; do
    [[ -d $group ]] || continue
    find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || true
  done
}

# The kubelet, dockerd and containerd make files at places that cannot be configured. Directories are removed only
# when they are empty: they may belong to somebody else as well.
remove_strays() {
  remove_shim_sockets
  rm -f /var/log/containers/*_*_*-*.log
  rm -rf /var/log/pods/*_*_*-*-*-*-*
  rm -f /var/lib/kubelet/device-plugins/{DEPRECATION,kubelet.sock,kubelet_internal_checkpoint}
  [[ -e $lab_state/had-docker-key ]] || rm -f /etc/docker/key.json
  local directory
  for directory in /var/log/containers /var/log/pods /var/lib/kubelet/device-plugins /var/lib/kubelet \
    /opt/containerd/bin /opt/containerd/lib /opt/containerd /run/containerd/s /run/containerd /run/docker /run/runc; do
    [[ ! -d $directory ]] || rmdir --ignore-fail-on-non-empty "$directory"
  done
}

remember_strays() {
  [[ ! -e /etc/docker/key.json ]] || touch "$lab_state/had-docker-key"
}

# A killed containerd-shim leaves its socket behind; one that nobody listens on belongs to nobody.
remove_shim_sockets() {
  local socket listening
  listening=$(ss -Hlx | awk '{ print $5 }')
  for socket in /run/containerd/s/*; do
    [[ ! -S $socket ]] || grep -qxF "$socket" <<< "$listening" || rm -f "$socket"
  done
}
