# shellcheck shell=bash
# shellcheck disable=SC2034
# Where the lab keeps its things and which addresses it uses. There is one lab on a machine.

# A running lab is found wherever its state is; the variable only chooses the place for a new one.
readonly lab_run=/run/deployctl-lab
lab_state=$(cat "$lab_run/state" 2> /dev/null || echo "${DEPLOYCTL_LAB_STATE:-/var/lib/deployctl-lab}")
readonly lab_state
readonly lab_marker=$lab_state/.deployctl-lab
readonly lab_cache=${DEPLOYCTL_LAB_CACHE:-${HOME:-/root}/.cache/deployctl-lab}
readonly lab_scratch=/var/tmp/deployctl-lab
readonly lab_lock=/run/lock/deployctl-lab.lock
readonly lab_logs=$lab_state/logs
readonly lab_pki=$lab_state/pki
readonly lab_kubeconfigs=$lab_state/kubeconfig

# The order of a cold start; `down` goes backwards.
readonly lab_parts=(etcd apiserver engine registry auth-registry controller-manager scheduler kubelet kube-proxy)

readonly registry_address=127.0.0.1:5000
readonly auth_registry_address=127.0.0.1:5001
readonly auth_registry_user=deployctl
readonly auth_registry_password=lab-password
readonly etcd_address=127.0.0.1:12379
readonly etcd_peer_address=127.0.0.1:12380
readonly apiserver_address=127.0.0.1:6443
readonly engine_socket=$lab_run/docker.sock

# The engine's bridge is the pod network; the node is known by the host's address on it, which is
# the one address that is the same on every machine and that Kubernetes accepts (it refuses 127.0.0.1).
readonly bridge_address=172.17.0.1
readonly bridge_network=172.17.0.0/16
readonly service_network=10.96.0.0/16
readonly service_apiserver_address=10.96.0.1

readonly node_name=lab
readonly pause_image=k8s.gcr.io/pause:3.2
