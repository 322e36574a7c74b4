# shellcheck shell=bash
# What the lab tells people: short lines on standard error, one for each thing that is done.

say() {
  local part=$1
  shift
  printf '  %-20s %s\n' "$part" "$*" >&2
}

# Ends the command: what failed, the last lines of its log, and what would help.
fail() {
  local part=$1 what=$2 log=${3:-} help=${4:-}
  printf 'lab: %s: %s\n' "$part" "$what" >&2
  if [[ -n $log && -s $log ]]; then
    printf '\nthe last lines of %s:\n' "$log" >&2
    tail -n 15 "$log" | cut -c 1-300 | sed 's/^/    /' >&2
    printf '\n' >&2
  fi
  [[ -z $help ]] || printf 'what helps: %s\n' "$help" >&2
  exit 1
}

duration_since() {
  local seconds=$((SECONDS - $1))
  if ((seconds < 60)); then
    echo "$seconds s"
  else
    echo "$((seconds / 60)) min $((seconds % 60)) s"
  fi
}

# Runs a command that takes minutes: its output goes to LOG, and a line tells twice a minute that it still goes on.
# It is in the control group "work", so that it ends with us.
long_step() {
  local part=$1 doing=$2 usual=$3 log=$4 began=$SECONDS pid
  shift 4
  mkdir -p "$(dirname "$log")" "$lab_scratch"
  say "$part" "$doing (about $usual, log $log)"
  (enter_group work && TMPDIR=$lab_scratch "$@") > "$log" 2>&1 < /dev/null &
  pid=$!
  report_until_ended "$pid" "$part" "$doing" "$usual" "$began"
  wait "$pid" ||
    fail "$part" "$doing failed after $(duration_since "$began")" "$log" "read the log, then run 'lab up' again"
  say "$part" "$doing done in $(duration_since "$began")"
}

report_until_ended() {
  local pid=$1 part=$2 doing=$3 usual=$4 began=$5 next=30
  while start_time "$pid" > /dev/null; do
    sleep 0.2
    ((SECONDS - began >= next)) || continue
    say "$part" "$doing: $(duration_since "$began") of about $usual"
    next=$((next + 30))
  done
}
