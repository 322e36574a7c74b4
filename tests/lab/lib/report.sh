# shellcheck shell=bash
# What a running lab says of itself.

# A line for each part; fails when something is not as it should be.
report_status() {
  local part wrong=0
  for part in "${lab_parts[@]}"; do
    report_part "$part" || wrong=1
  done
  report_node || wrong=1
  return "$wrong"
}

report_part() {
  local part=$1 pid address
  address=$("$(part_function "$part" address)")
  if ! pid=$(part_pid "$part"); then
    status_line "$part" down - "$address" "not running (lab start $part)"
    return 1
  fi
  if ! part_is_ready "$part"; then
    status_line "$part" 'not ready' "$pid" "$address" "runs but does not answer as it should, see $(log_file "$part")"
    return 1
  fi
  status_line "$part" up "$pid" "$address"
}

report_node() {
  local condition
  condition=$(node_condition)
  if [[ $condition == True ]]; then
    status_line node Ready - "$bridge_address"
  else
    status_line node 'not ready' - "$bridge_address" "condition Ready is ${condition:-not known}, see $(log_file kubelet)"
    return 1
  fi
}

status_line() { printf '%-20s %-10s %-8s %s%s\n' "$1" "$2" "$3" "$4" "${5:+  $5}"; }

lab_is_healthy() {
  local part
  for part in "${lab_parts[@]}"; do
    part_is_ready "$part" || return 1
  done
  node_is_ready && [[ -s $lab_kubeconfigs/deployer && -z $(missing_images) ]]
}

print_environment() {
  export_line DOCKER_HOST "unix://$engine_socket"
  export_line KUBECONFIG "$lab_kubeconfigs/admin"
  export_line DEPLOYCTL_LAB_KUBECONFIG_LIMITED "$lab_kubeconfigs/deployer"
  export_line DEPLOYCTL_LAB_REGISTRY "$registry_address"
  export_line DEPLOYCTL_LAB_AUTH_REGISTRY "$auth_registry_address"
  export_line DEPLOYCTL_LAB_AUTH_REGISTRY_USER "$auth_registry_user"
  export_line DEPLOYCTL_LAB_AUTH_REGISTRY_PASSWORD "$auth_registry_password"
  printf 'export PATH=%q:%s\n' "$lab_state/bin" "\"\$PATH\""
}

export_line() { printf 'export %s=%q\n' "$1" "$2"; }
