# shellcheck shell=bash
# Two OCI registries from Debian's docker-registry: an open one, and one that asks for a user and a password.

readonly registry_storage=$lab_state/registry

registry_address() { echo "http://$registry_address"; }
registry_prepare() { require_free_port registry "$registry_address"; }
registry_run() { run_registry registry "$registry_address"; }
registry_ready() { [[ $(registry_answer "$registry_address") == 200 ]]; }

auth_registry_address() { echo "http://$auth_registry_address"; }
auth_registry_prepare() {
  require_free_port auth-registry "$auth_registry_address"
  mkdir -p "$registry_storage"
  htpasswd -Bbn "$auth_registry_user" "$auth_registry_password" > "$registry_storage/htpasswd" 2> /dev/null
}
auth_registry_run() { run_registry auth-registry "$auth_registry_address"; }
auth_registry_ready() { [[ $(registry_answer "$auth_registry_address") == 401 ]]; }

registry_answer() { curl -s -o /dev/null -w '%{http_code}' --max-time 2 "http://$1/v2/"; }

run_registry() {
  local part=$1 address=$2 config=$registry_storage/$1.yml
  mkdir -p "$registry_storage/$part"
  registry_config "$part" "$address" > "$config"
  spawn "$part" docker-registry serve "$config"
}

registry_config() {
  local part=$1 address=$2
  cat << YAML
version: 0.1
log: {level: info, formatter: text, accesslog: {disabled: false}}
storage:
  filesystem: {rootdirectory: $registry_storage/$part}
  delete: {enabled: true}
  maintenance: {uploadpurging: {enabled: false}}
http:
  addr: $address
  headers: {X-Content-Type-Options: [nosniff]}
YAML
  [[ $part != auth-registry ]] || cat << YAML
auth:
  htpasswd: {realm: deployctl-lab, path: $registry_storage/htpasswd}
YAML
}

# Empties both registries.
wipe_registries() {
  local part
  for part in registry auth-registry; do
    stop_part "$part"
    rm -rf "${registry_storage:?}/$part"
  done
  start_parts registry auth-registry
}
