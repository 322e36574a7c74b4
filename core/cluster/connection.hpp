// Which cluster, as whom: a kubeconfig context or the pod's own service account made ready for requests.
#pragma once

#include "core/base/result.hpp"
#include "core/cluster/credentials.hpp"
#include "core/http/transport.hpp"
#include "core/io/clock.hpp"
#include "core/io/environment.hpp"
#include "core/io/file_system.hpp"
#include "core/io/process.hpp"
#include "core/kube/kubeconfig.hpp"

#include <memory>
#include <string>

namespace deployctl::cluster {

// The outside world. Everything must outlive what is made from it.
struct Ports {
  http::Transport& transport;
  io::FileSystem& files;
  io::Environment& environment;
  io::ProcessRunner& processes;
  io::Clock& clock;
};

// What the command line and the project manifest say; empty means the usual place.
struct ConnectOptions {
  std::string kubeconfig;  // this file alone
  std::string context;
  std::string name_space;
};

struct Connection {
  base::Url server;
  std::string proxy;       // as http::Request takes it
  std::string context;     // empty for a pod's own account
  std::string kubeconfig;  // where the context was found, for messages: "~/.kube/config"
  std::string cluster_name;
  std::string user_name;
  std::string name_space;             // never empty
  std::vector<std::string> warnings;  // for the user: "certificate is not verified …"
  std::shared_ptr<Credentials> credentials;

  // "https://10.0.0.1:6443 (context prod of ~/.kube/config)"
  [[nodiscard]] std::string description() const;
};

// Kubeconfig: the given file, else the KUBECONFIG list, else ~/.kube/config; without any of them the in-cluster
// configuration. The namespace: the option, the context's, POD_NAMESPACE or the service account's, "default".
// Sends nothing. not_found when nothing is configured; invalid_input for what contradicts itself.
base::Result<Connection> open_connection(const ConnectOptions& options, const Ports& ports);

// The kubeconfig files as one, for those who list contexts. not_found when there is none.
base::Result<kube::Kubeconfig> load_kubeconfig(const ConnectOptions& options, const Ports& ports);

}  // namespace deployctl::cluster
