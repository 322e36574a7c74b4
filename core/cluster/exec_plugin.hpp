// Credentials from a program the kubeconfig names (Kubernetes documentation, "client-go credential plugins").
#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/io/clock.hpp"
#include "core/io/process.hpp"
#include "core/kube/kubeconfig.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::cluster {

struct PluginAnswer {
  base::Secret token;
  std::string certificate_pem;
  base::Secret key_pem;
  std::optional<io::WallTime> expiry;  // nothing: until the server refuses it
};

// Runs the program without a terminal. unauthorized when it is missing (with the kubeconfig's install hint), fails or
// answers with something else than credentials; its output is never part of the message, as it may hold them.
base::Result<PluginAnswer> run_exec_plugin(const kube::ExecPlugin& plugin, const kube::ClusterEntry& cluster,
                                           std::string_view authority_pem, io::ProcessRunner& processes,
                                           std::stop_token stop);

// The ExecCredential a program printed.
base::Result<PluginAnswer> read_plugin_answer(std::string_view text, const kube::ExecPlugin& plugin);

}  // namespace deployctl::cluster
