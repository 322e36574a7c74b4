// The kubeconfig file format (Kubernetes documentation, "Organizing Cluster Access Using kubeconfig Files"): text to
// values, several files to one, one context to what a client needs. Reading the files is cluster/connection.hpp's.
#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::kube {

// Bytes that stand in the kubeconfig or in a file it names.
struct Material {
  std::string file;    // absolute or relative to the working directory; empty: none
  base::Secret bytes;  // decoded from its base64

  [[nodiscard]] bool empty() const { return file.empty() && bytes.empty(); }
  friend bool operator==(const Material&, const Material&) = default;
};

// A program that prints credentials (client-go credential plugins).
struct ExecPlugin {
  enum class Interactive { never, if_available, always };
  std::string api_version;  // client.authentication.k8s.io/v1 or …/v1beta1
  std::string command;      // with the kubeconfig's folder in front when it held a '/'
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
  std::string install_hint;
  Interactive interactive = Interactive::if_available;
  bool provide_cluster_info = false;

  friend bool operator==(const ExecPlugin&, const ExecPlugin&) = default;
};

struct ClusterEntry {
  std::string server;
  Material authority;  // CA certificates
  bool insecure_skip_tls_verify = false;
  std::string tls_server_name;
  std::string proxy_url;
  json::Value exec_extension;  // for the exec plugin when it wants cluster information; null when there is none

  friend bool operator==(const ClusterEntry&, const ClusterEntry&) = default;
};

struct Impersonation {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  friend bool operator==(const Impersonation&, const Impersonation&) = default;
};

struct UserEntry {
  Material client_certificate;
  Material client_key;
  base::Secret token;
  std::string token_file;
  std::string username;
  base::Secret password;
  std::optional<ExecPlugin> exec;
  std::string auth_provider;  // the name of a legacy provider, which is refused
  Impersonation impersonation;

  friend bool operator==(const UserEntry&, const UserEntry&) = default;
};

struct ContextEntry {
  std::string cluster;
  std::string user;
  std::string name_space;

  friend bool operator==(const ContextEntry&, const ContextEntry&) = default;
};

struct Kubeconfig {
  std::string current_context;
  std::map<std::string, ClusterEntry> clusters;
  std::map<std::string, UserEntry> users;
  std::map<std::string, ContextEntry> contexts;
};

// One file. Relative paths in it become relative to its folder. invalid_input with the file's name and the place.
base::Result<Kubeconfig> parse_kubeconfig(std::string_view text, const std::string& path);

// The first file that defines a cluster, user or context owns the whole entry; the first current-context that is not
// empty wins.
Kubeconfig merge(std::vector<Kubeconfig> files);

// The files of a KUBECONFIG variable: separated by ':', each once, empty ones left out.
std::vector<std::string> kubeconfig_paths(std::string_view variable);

// Everything about one context: which cluster, as whom.
struct Access {
  std::string context;  // empty for the in-cluster configuration
  std::string user_name;
  std::string cluster_name;
  std::string name_space;  // empty when the context has none
  ClusterEntry cluster;
  UserEntry user;
};

// The context asked for, or the current one when `context` is empty. not_found with the nearest name when there is no
// such context, invalid_input when its cluster or user is missing or contradicts itself.
base::Result<Access> select_context(const Kubeconfig& config, std::string_view context);

// What a pod knows of its own cluster (Kubernetes documentation, "Accessing the Kubernetes API from a Pod").
inline constexpr std::string_view service_account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";
Access in_cluster_access(std::string_view host, std::string_view port);

}  // namespace deployctl::kube
