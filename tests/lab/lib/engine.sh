# shellcheck shell=bash
# Docker Engine: Debian's dockerd with data, sockets and control groups of the lab's own.

readonly engine_data=$lab_state/engine
readonly engine_disk=$lab_state/engine.ext4
readonly engine_exec=$lab_run/engine

engine_address() { echo "unix://$engine_socket"; }
engine_ready() { engine_api /_ping; }
engine_grace() { echo 30; }

engine_api() {
  local path=$1
  shift
  curl -sf --max-time 5 --unix-socket "$engine_socket" "$@" "http://engine$path"
}

lab_docker() { DOCKER_CONFIG=$lab_state/docker-config DOCKER_HOST=unix://$engine_socket /usr/bin/docker "$@"; }

# After an unclean end there are containers, mounts and sockets that no engine looks after any more, and a new
# containerd cannot start beside an old one.
engine_prepare() {
  require_no_other_engine
  kill_containers
  unmount_below "$engine_exec"
  unmount_inside "$engine_data"
  rm -rf "$engine_exec" "$engine_socket" "$lab_run/engine-daemon.pid"
  make_container_groups
  mount_engine_data
}

engine_run() {
  local wrapper=$lab_state/bin/runc-lab
  install -D -m 755 "$lab_source/engine/runc-lab" "$wrapper"
  mkdir -p "$engine_data" "$engine_exec"
  echo '{}' > "$engine_data/daemon.json"
  spawn engine dockerd \
    --host "unix://$engine_socket" --group root \
    --data-root "$engine_data" --exec-root "$engine_exec" --pidfile "$lab_run/engine-daemon.pid" \
    --config-file "$engine_data/daemon.json" \
    --storage-driver overlay2 --bip "$bridge_address/16" --shutdown-timeout 3 \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent /deployctl-lab/containers \
    --oom-score-adjust 0 --add-runtime "lab=$wrapper" --default-runtime lab
}

# Containers are not given the ten seconds to end by themselves that dockerd would give them.
engine_before_end() { kill_containers; }

require_no_other_engine() {
  local pid
  for pid in $(pgrep -x dockerd); do
    ! start_time "$pid" > /dev/null || fail engine "another Docker Engine runs here (process $pid)" '' \
      'end it: two engines fight over the bridge docker0'
  done
}

kill_containers() {
  kill_group "$(group_of containers)"
  kill_group "$(group_of kubepods)"
}

# The engine's data is a file system of its own in one sparse file. Images are some hundred thousand small files, and
# where the machine's disk is mounted with `discard`, removing those takes minutes; removing one file takes no time.
# It has no journal and waits for no disk: dpkg in a build syncs every file. What a power cut breaks is made anew.
mount_engine_data() {
  mkdir -p "$engine_data"
  ! mountpoint -q "$engine_data" || return 0
  [[ -e $engine_disk ]] || make_engine_disk
  e2fsck -p "$engine_disk" > /dev/null 2>&1 || [[ $? == 1 ]] || make_engine_disk
  mount -o loop,noatime,nobarrier "$engine_disk" "$engine_data" 2> /dev/null && return
  say engine 'no loop device here: its data goes to a plain directory, removing that may take minutes'
}

make_engine_disk() {
  local free
  free=$(df --output=avail -k "$lab_state" | tail -n 1)
  rm -f "$engine_disk"
  truncate -s "$((free * 9 / 10))K" "$engine_disk"
  mkfs.ext4 -q -O ^has_journal -E nodiscard "$engine_disk" || fail engine "mkfs.ext4 could not make $engine_disk"
}

# Containers and pods live below /deployctl-lab in every hierarchy; the kubelet wants to find its root there. All of them
# together would get the time of one process; with these shares a compiler beside them does not starve them.
make_container_groups() {
  local hierarchy file
  for hierarchy in /sys/fs/cgroup/*/; do
    [[ -e $hierarchy/cgroup.procs ]] || continue
    mkdir -p "$hierarchy/deployctl-lab"
    for file in cpuset.cpus cpuset.mems; do
      [[ ! -e $hierarchy/$file ]] || cat "$hierarchy/$file" > "$hierarchy/deployctl-lab/$file"
    done
    [[ ! -e $hierarchy/cpu.shares ]] || echo 4096 > "$hierarchy/deployctl-lab/cpu.shares"
  done
}
