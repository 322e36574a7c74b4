# shellcheck shell=bash
# Mounts, control groups and directories the lab made outside of its state.

# Unmounts everything at or below a directory, the deepest first. A mount can be there several times.
unmount_below() {
  local mounts mount
  while mounts=$(mounts_below "$1") && [[ -n $mounts ]]; do
    while read -r mount; do
      umount "$mount" 2> /dev/null || umount --lazy "$mount"
    done <<< "$mounts"
  done
}

mounts_below() {
  awk -v top="$1" '$5 == top || index($5, top "/") == 1 { print $5 }' /proc/self/mountinfo | sort -ru
}

remove_control_groups() {
  local group
  for group in /sys/fs/cgroup/deployctl-lab /sys/fs/cgroup/*/deployctl-lab; do
    [[ -d $group ]] || continue
    find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || true
  done
}

# Directories that the kubelet and dockerd make at places that cannot be configured; only empty ones are removed.
remove_empty_directories() {
  rm -f /var/log/containers/*_*_*-*.log
  rm -rf /var/log/pods/*_*_*-*-*-*-*
  local directory
  for directory in /var/log/containers /var/log/pods /opt/containerd/bin /opt/containerd/lib /opt/containerd; do
    [[ ! -d $directory ]] || rmdir --ignore-fail-on-non-empty "$directory"
  done
}
