# shellcheck shell=bash
# Starting, finding and ending the lab's processes.
#
# A part is one long-running program. Its process is known by its id and its start time, so an id that
# the kernel gave to somebody else later is never signalled. Whatever a part starts stays in the part's control
# group, so nothing it leaves behind (a shim, a container, a proxy) can be lost, even after everything was killed.

pid_file() { echo "$lab_run/$1.pid"; }
log_file() { echo "$lab_logs/$1.log"; }

# The hierarchy that tracks processes: "pids" with cgroup v1, the only one there is with cgroup v2.
group_root() {
  if [[ -d /sys/fs/cgroup/pids ]]; then
    echo /sys/fs/cgroup/pids/deployctl-lab
  else
    echo /sys/fs/cgroup/deployctl-lab
  fi
}

group_of() { echo "$(group_root)/$1"; }

# The time a process was started, in clock ticks since boot; fails when it does not run (a zombie does not).
start_time() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 1
  read -ra fields <<< "${stat##*) }"
  [[ ${fields[0]} != [ZX] ]] || return 1
  echo "${fields[19]}"
}

# Moves this shell, and what it starts from now on, into a control group.
enter_group() {
  mkdir -p "$(group_of "$1")"
  echo "$BASHPID" > "$(group_of "$1")/cgroup.procs"
}

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# The process id of a running part; fails when it does not run.
part_pid() {
  local pid started boot
  read -r pid started boot 2> /dev/null < "$(pid_file "$1")" || return 1
  [[ $boot == "$(boot_id)" && $(start_time "$pid") == "$started" ]] || return 1
  echo "$pid"
}

# What a shell does before it becomes a part's program: it joins the control group and closes every file it was
# handed but the standard ones, such as the lab's lock or a pipe of the caller.
# shellcheck disable=SC2016 # the inner shell expands these
readonly enter_group_alone='
  echo $$ > "$0/cgroup.procs" || exit
  for file in /proc/$$/fd/*; do
    file=${file##*/}
    ((file <= 2)) || eval "exec $file>&-"
  done
  exec "$@"'

# Starts a program in the background as PART, with its output in the part's log.
spawn() {
  local part=$1 log pid
  shift
  log=$(log_file "$part")
  mkdir -p "$lab_run" "$lab_logs" "$(group_of "$part")"
  [[ ! -e $log ]] || mv "$log" "$log.1"
  setsid bash -c "$enter_group_alone" "$(group_of "$part")" "$@" > "$log" 2>&1 < /dev/null &
  pid=$!
  echo "$pid $(start_time "$pid") $(boot_id)" > "$(pid_file "$part")"
}

# Waits until COMMAND succeeds; fails when SECONDS have passed first.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

processes_in() {
  [[ -d $1 ]] || return 0
  find "$1" -name cgroup.procs -exec cat {} + 2> /dev/null || true
}

group_is_empty() { [[ -z $(processes_in "$1") ]]; }

kill_round() {
  local group=$1 pid
  for pid in $(processes_in "$group"); do
    kill -KILL "$pid" 2> /dev/null || true
  done
  group_is_empty "$group"
}

# Kills all that is left in a control group and waits until it has really gone.
kill_group() {
  local group=$1
  wait_until 20 kill_round "$group" ||
    fail "$(basename "$group")" "processes do not end: $(processes_in "$group" | tr '\n' ' ')"
}

part_has_ended() { ! part_pid "$1" > /dev/null; }

# Asks a part to end, waits GRACE seconds, then kills it and what it left behind.
end_part() {
  local part=$1 grace=$2 pid
  if pid=$(part_pid "$part"); then
    kill -TERM "$pid" 2> /dev/null || true
    wait_until "$grace" part_has_ended "$part" || say "$part" "did not end within $grace s, killing it"
  fi
  kill_group "$(group_of "$part")"
  rm -f "$(pid_file "$part")"
}

# Who listens on a TCP port of this machine; empty when it is free.
listener_on() {
  local listeners
  listeners=$(ss -Hltnp "sport = :$1")
  listeners=${listeners#*users:((}
  echo "${listeners%%)*}"
}

require_free_port() {
  local part=$1 port=${2##*:} who
  who=$(listener_on "$port")
  [[ -z $who ]] || fail "$part" "port $port is taken by $who" '' "end that program, the lab uses fixed ports (docs/lab.md)"
}
