# shellcheck shell=bash
# What all parts have in common: start, become ready, end. A part PART (its dashes as underscores) brings
#
#   PART_run      starts its program with `spawn`
#   PART_ready    succeeds once it can be used
#   PART_address  where it can be reached
#   PART_prepare  optional: what must be in order before it is started
#   PART_before_end  optional: what is done first when it is ended
#   PART_grace    optional: how many seconds it may take to end by itself

part_function() { echo "${1//-/_}_$2"; }

is_defined() { declare -F "$1" > /dev/null; }

require_part() {
  local part
  for part in "${lab_parts[@]}"; do
    [[ $part != "$1" ]] || return 0
  done
  fail "$1" 'there is no such part' '' "the parts are: ${lab_parts[*]}"
}

part_is_ready() { part_pid "$1" > /dev/null && "$(part_function "$1" ready)" > /dev/null 2>&1; }

part_is_settled() { part_has_ended "$1" || part_is_ready "$1"; }

# Starts parts side by side and returns when all of them are ready.
start_parts() {
  local part
  for part in "$@"; do launch "$part"; done
  for part in "$@"; do await_ready "$part"; done
}

launch() {
  local part=$1 prepare
  part_has_ended "$part" || return 0
  kill_group "$(group_of "$part")"
  prepare=$(part_function "$part" prepare)
  ! is_defined "$prepare" || "$prepare"
  "$(part_function "$part" run)"
}

await_ready() {
  local part=$1 began=$SECONDS log
  log=$(log_file "$part")
  wait_until 120 part_is_settled "$part" ||
    fail "$part" 'runs but is not ready after 120 s' "$log" "lab stop $part && lab start $part"
  part_pid "$part" > /dev/null ||
    fail "$part" 'ended while it was starting' "$log" "read $log, then run 'lab up' again"
  say "$part" "ready at $("$(part_function "$part" address)") ($(duration_since "$began"))"
}

stop_part() {
  local part=$1 grace before_end
  before_end=$(part_function "$part" before_end)
  ! is_defined "$before_end" || "$before_end"
  grace=$(part_function "$part" grace)
  if is_defined "$grace"; then
    end_part "$part" "$("$grace")"
  else
    end_part "$part" 10
  fi
}
