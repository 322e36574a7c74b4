// Looking through the gates of a canary: sends the probes and queries, and has the answers judged (core/canary).
#pragma once

#include "core/canary/measurement.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>

namespace deployctl::execute {

// Whom the gates ask about.
struct GateSubject {
  std::string service;
  std::string name_space;
  std::string stable;                            // Deployment
  std::string canary;                            // Deployment, and the Service that leads to it alone
  std::string port;                              // of that Service, by name
  std::string directory;                         // files with tokens are relative to it
  std::optional<project::RequestHeader> header;  // that leads a request to the canary
  std::string cookie;                            // the same, its value "always"; empty: none
};

// One measurement. What cannot be asked is inconclusive; an error only after a request to stop.
base::Result<canary::Measurement> measure(const project::Gate& gate, const GateSubject& subject,
                                          cluster::Client& client, const Ports& ports);

// Whether the tokens of the gates can be read here; else the error of the first that cannot.
base::Status check_tokens(const project::Gates& gates, const std::string& directory, const Ports& ports);

}  // namespace deployctl::execute
