# shellcheck shell=bash
# The cluster's certificate authority, the certificates of its parts, and the kubeconfig files made of them.

make_certificates() {
  [[ ! -d $lab_pki ]] || return 0
  local made=$lab_pki.partial
  rm -rf "$made"
  mkdir -p "$made"
  chmod 700 "$made"
  (
    cd "$made"
    make_authority
    make_certificate apiserver /CN=kube-apiserver "$(apiserver_names)"
    make_certificate apiserver-client /O=system:masters/CN=kube-apiserver
    make_certificate kubelet-server "/CN=$node_name" "DNS:$node_name,IP:$bridge_address"
    make_certificate kubelet "/O=system:nodes/CN=system:node:$node_name"
    make_certificate controller-manager /CN=system:kube-controller-manager
    make_certificate scheduler /CN=system:kube-scheduler
    make_certificate kube-proxy /CN=system:kube-proxy
    make_certificate admin /O=system:masters/CN=lab-admin
    make_key service-account
    openssl pkey -in service-account.key -pubout -out service-account.pub
  ) || fail certificates 'openssl could not make them'
  mv "$made" "$lab_pki"
}

apiserver_names() {
  echo "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$bridge_address,IP:$service_apiserver_address"
}

make_key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2> /dev/null; }

make_authority() {
  make_key ca
  openssl req -x509 -new -key ca.key -subj /CN=deployctl-lab -days 3650 -out ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

make_certificate() {
  local name=$1 subject=$2 names=${3:-}
  make_key "$name"
  openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr"
  {
    echo 'extendedKeyUsage = serverAuth, clientAuth'
    [[ -z $names ]] || echo "subjectAltName = $names"
  } > "$name.ext"
  openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 \
    -extfile "$name.ext" -out "$name.crt" 2> /dev/null
  rm "$name.csr" "$name.ext"
}

# A kubeconfig that carries a client certificate.
certificate_kubeconfig() {
  local name=$1
  kubeconfig "$name" "$(printf '    client-certificate-data: %s\n    client-key-data: %s' \
    "$(base64 -w 0 "$lab_pki/$name.crt")" "$(base64 -w 0 "$lab_pki/$name.key")")"
}

# A kubeconfig that carries a bearer token.
token_kubeconfig() { kubeconfig "$1" "    token: $2"; }

kubeconfig() {
  local name=$1 credentials=$2
  mkdir -p "$lab_kubeconfigs"
  (umask 077 && cat > "$lab_kubeconfigs/$name.partial") << YAML
apiVersion: v1
kind: Config
current-context: lab
contexts:
- name: lab
  context: {cluster: lab, user: $name}
clusters:
- name: lab
  cluster:
    server: https://$apiserver_address
    certificate-authority-data: $(base64 -w 0 "$lab_pki/ca.crt")
users:
- name: $name
  user:
$credentials
YAML
  mv "$lab_kubeconfigs/$name.partial" "$lab_kubeconfigs/$name"
}
