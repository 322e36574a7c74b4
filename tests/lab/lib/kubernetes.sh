# shellcheck shell=bash
# The parts of the Kubernetes node: etcd, the control plane, the kubelet and kube-proxy.
# Everything listens on 127.0.0.1, but for the kubelet, which the API server calls at the bridge's address.

readonly kubelet_port=10250
readonly kubelet_root=$lab_state/kubelet

etcd_address() { echo "http://$etcd_address"; }
etcd_prepare() { require_free_port etcd "$etcd_address"; }
etcd_run() {
  local data=$lab_state/etcd
  mkdir -p "$data"
  chmod 700 "$data"
  spawn etcd etcd --name lab --data-dir "$data" --log-level warn --logger zap \
    --listen-client-urls "http://$etcd_address" --advertise-client-urls "http://$etcd_address" \
    --listen-peer-urls "http://$etcd_peer_address" --initial-advertise-peer-urls "http://$etcd_peer_address" \
    --initial-cluster "lab=http://$etcd_peer_address"
}
etcd_ready() { curl -sf --max-time 2 "http://$etcd_address/health"; }

apiserver_address() { echo "https://$apiserver_address"; }
apiserver_prepare() {
  require_free_port apiserver "$apiserver_address"
  make_certificates
  certificate_kubeconfig admin
}
apiserver_run() {
  spawn apiserver "$(kubernetes_binaries)/kube-apiserver" \
    --etcd-servers "http://$etcd_address" \
    --bind-address "${apiserver_address%:*}" --secure-port "${apiserver_address##*:}" \
    --advertise-address "$bridge_address" --service-cluster-ip-range "$service_network" \
    --client-ca-file "$lab_pki/ca.crt" \
    --tls-cert-file "$lab_pki/apiserver.crt" --tls-private-key-file "$lab_pki/apiserver.key" \
    --kubelet-certificate-authority "$lab_pki/ca.crt" \
    --kubelet-client-certificate "$lab_pki/apiserver-client.crt" \
    --kubelet-client-key "$lab_pki/apiserver-client.key" \
    --kubelet-preferred-address-types InternalIP \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file "$lab_pki/service-account.pub" \
    --service-account-signing-key-file "$lab_pki/service-account.key" \
    --authorization-mode RBAC,Node --enable-admission-plugins NodeRestriction \
    --allow-privileged
}
apiserver_ready() { kubernetes_api /readyz --max-time 3; }

# It stops listening at once, but then waits up to a minute for watches to end.
apiserver_grace() { echo 2; }

# A request to the API server as its administrator; the answer's body on standard output.
kubernetes_api() {
  local path=$1
  shift
  curl -sf --max-time 10 --cacert "$lab_pki/ca.crt" --cert "$lab_pki/admin.crt" --key "$lab_pki/admin.key" \
    "$@" "https://$apiserver_address$path"
}

controller_manager_address() { echo https://127.0.0.1:10257; }
controller_manager_prepare() {
  require_free_port controller-manager 10257
  certificate_kubeconfig controller-manager
}
controller_manager_run() {
  spawn controller-manager "$(kubernetes_binaries)/kube-controller-manager" \
    --kubeconfig "$lab_kubeconfigs/controller-manager" --bind-address 127.0.0.1 --port 0 --cert-dir '' \
    --leader-elect=false --use-service-account-credentials \
    --root-ca-file "$lab_pki/ca.crt" --service-account-private-key-file "$lab_pki/service-account.key" \
    --cluster-signing-cert-file "$lab_pki/ca.crt" --cluster-signing-key-file "$lab_pki/ca.key"
}
controller_manager_ready() { curl -skf --max-time 2 https://127.0.0.1:10257/healthz; }

scheduler_address() { echo https://127.0.0.1:10259; }
scheduler_prepare() {
  require_free_port scheduler 10259
  certificate_kubeconfig scheduler
}
scheduler_run() {
  spawn scheduler "$(kubernetes_binaries)/kube-scheduler" \
    --kubeconfig "$lab_kubeconfigs/scheduler" --bind-address 127.0.0.1 --port 0 --cert-dir '' --leader-elect=false
}
scheduler_ready() { curl -skf --max-time 2 https://127.0.0.1:10259/healthz; }

kubelet_address() { echo "https://$bridge_address:$kubelet_port"; }
kubelet_prepare() {
  require_free_port kubelet "$kubelet_port"
  certificate_kubeconfig kubelet
  mkdir -p "$kubelet_root"
  kubelet_config > "$kubelet_root/config.yaml"
}
kubelet_run() {
  spawn kubelet "$(kubernetes_binaries)/kubelet" \
    --kubeconfig "$lab_kubeconfigs/kubelet" --config "$kubelet_root/config.yaml" \
    --root-dir "$kubelet_root" --cert-dir "$kubelet_root/pki" \
    --hostname-override "$node_name" --node-ip "$bridge_address" \
    --container-runtime docker --docker-endpoint "unix://$engine_socket" \
    --container-runtime-endpoint "unix://$lab_run/dockershim.sock" \
    --experimental-dockershim-root-directory "$kubelet_root/dockershim" \
    --network-plugin '' --pod-infra-container-image "$pause_image"
}
kubelet_ready() { curl -sf --max-time 2 http://127.0.0.1:10248/healthz; }

# Nothing is ever evicted or collected for want of disk or memory: the machine is shared with builds, and the base
# images cannot be pulled again. It may ask the API server as often as kubelets since 1.27 by themselves.
kubelet_config() {
  cat << YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $bridge_address
port: $kubelet_port
healthzBindAddress: 127.0.0.1
tlsCertFile: $lab_pki/kubelet-server.crt
tlsPrivateKeyFile: $lab_pki/kubelet-server.key
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $lab_pki/ca.crt}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /deployctl-lab
failSwapOn: false
oomScoreAdj: 0
hairpinMode: none
volumePluginDir: $kubelet_root/volume-plugins
serializeImagePulls: false
registryPullQPS: 0
eventRecordQPS: 0
kubeAPIQPS: 50
kubeAPIBurst: 100
nodeStatusUpdateFrequency: 2s
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
YAML
}

kube_proxy_address() { echo http://127.0.0.1:10256; }
kube_proxy_prepare() {
  require_free_port kube-proxy 10256
  certificate_kubeconfig kube-proxy
}
kube_proxy_run() {
  spawn kube-proxy "$(kubernetes_binaries)/kube-proxy" \
    --kubeconfig "$lab_kubeconfigs/kube-proxy" --hostname-override "$node_name" \
    --proxy-mode iptables --cluster-cidr "$bridge_network" --nodeport-addresses 127.0.0.0/8 \
    --healthz-bind-address 127.0.0.1:10256 --metrics-bind-address 127.0.0.1:10249 \
    --conntrack-max-per-core 0 --oom-score-adj 0
}
kube_proxy_ready() { curl -sf --max-time 2 http://127.0.0.1:10256/healthz; }

# The node's Ready condition: True, False, Unknown, or empty when there is no node. What the kubelet reported before
# it was last started does not count.
node_condition() {
  local kubelet_started
  kubelet_started=$(stat -c %Y "$(pid_file kubelet)" 2> /dev/null) || return 0
  kubernetes_api "/api/v1/nodes/$node_name" --max-time 3 2> /dev/null | jq -r --argjson started "$kubelet_started" '
    .status.conditions[]? | select(.type == "Ready")
    | if (.lastHeartbeatTime | fromdate) < $started then "not reported yet" else .status end'
}

node_is_ready() { [[ $(node_condition) == True ]]; }

await_node() {
  local began=$SECONDS
  wait_until 120 node_is_ready ||
    fail node "is not Ready after 120 s ($(node_condition))" "$(log_file kubelet)" 'lab stop kubelet && lab start kubelet'
  say node "Ready ($(duration_since "$began"))"
}
