# shellcheck shell=bash
# What the lab changes in the machine's kernel, and how it is put back: settings, the policy of the FORWARD chain, the
# chains of dockerd and kube-proxy, and the engine's bridges.

readonly network_before=$lab_state/network-before
readonly changed_settings=(
  net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables # dockerd
  net.ipv4.conf.all.route_localnet # kube-proxy
  net.netfilter.nf_conntrack_tcp_timeout_established net.netfilter.nf_conntrack_tcp_timeout_close_wait
  vm.overcommit_memory kernel.panic kernel.panic_on_oops # kubelet
  kernel.keys.root_maxkeys kernel.keys.root_maxbytes
)

remember_network() {
  {
    sysctl -e "${changed_settings[@]}" 2> /dev/null | sed 's/ //g'
    iptables -S FORWARD 2> /dev/null | grep '^-P'
  } > "$network_before"
}

restore_network() {
  remove_chains
  remove_bridges
  [[ -e $network_before ]] || return 0
  local setting
  while read -r setting; do
    case $setting in
      '-P FORWARD '*) iptables -P FORWARD "${setting##* }" ;;
      *) sysctl -qew "$setting" || true ;;
    esac
  done < "$network_before"
}

# Rules that mention a chain of dockerd or kube-proxy, or one of the engine's bridges.
readonly lab_rules='DOCKER|KUBE-|docker0|br-[0-9a-f]{12}'

remove_chains() {
  local tables rules
  for tables in iptables ip6tables; do
    rules=$("$tables-save" 2> /dev/null) || continue
    grep -vE "$lab_rules" <<< "$rules" | "$tables-restore" || say network "some $tables rules could not be removed"
  done
}

remove_bridges() {
  local link
  for link in $(ip -o link show type bridge | grep -oE '^[0-9]+: (docker0|br-[0-9a-f]{12}):' | cut -d ' ' -f 2); do
    ip link delete "${link%:}" 2> /dev/null || true
  done
}
