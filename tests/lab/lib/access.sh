# shellcheck shell=bash
# Users of the cluster: the administrator has a client certificate; the deployer is a service account with a
# token that may do what a release needs and nothing more.

readonly access_namespace=deployctl-lab

grant_access() {
  apply "/api/v1/namespaces/$access_namespace" << YAML
{apiVersion: v1, kind: Namespace, metadata: {name: $access_namespace}}
YAML
  apply "/api/v1/namespaces/$access_namespace/serviceaccounts/deployer" << YAML
{apiVersion: v1, kind: ServiceAccount, metadata: {name: deployer}}
YAML
  apply /apis/rbac.authorization.k8s.io/v1/clusterroles/deployctl-lab-deployer < "$lab_source/kubernetes/deployer-role.yaml"
  apply /apis/rbac.authorization.k8s.io/v1/clusterrolebindings/deployctl-lab-deployer << YAML
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: deployctl-lab-deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: deployctl-lab-deployer}
subjects: [{kind: ServiceAccount, name: deployer, namespace: $access_namespace}]
YAML
  write_deployer_kubeconfig
}

apply() {
  kubernetes_api "$1?fieldManager=deployctl-lab&force=true" -o /dev/null -X PATCH \
    -H 'Content-Type: application/apply-patch+yaml' --data-binary @- ||
    fail access "the API server refused to apply $1" "$(log_file apiserver)"
}

# The token is made by the controller manager a moment after the account.
write_deployer_kubeconfig() {
  wait_until 20 deployer_has_token || fail access 'no token was made for the service account' "$(log_file controller-manager)"
  token_kubeconfig deployer "$(deployer_token)"
}

deployer_has_token() { [[ -n $(deployer_token) ]]; }

deployer_token() {
  kubernetes_api "/api/v1/namespaces/$access_namespace/secrets?fieldSelector=type=kubernetes.io/service-account-token" |
    jq -r '[.items[] | select(.metadata.annotations["kubernetes.io/service-account.name"] == "deployer") | .data.token][0]
           // empty | @base64d'
}
