// Whether a cluster's nodes will be able to pull an image: the registry itself is asked, with the credentials that pods
// of the namespace have for it. Changes nothing.
#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/cluster/client.hpp"
#include "core/execute/ports.hpp"
#include "core/execute/world.hpp"
#include "core/plan/image_access.hpp"
#include "core/registry/credentials.hpp"

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::execute {

// What pods of a namespace show to registries: their pull secrets, in the order a node tries them. Nodes may have
// credentials of their own, which nobody but them can see.
struct PullSecrets {
  struct Document {
    std::string name;  // of the Secret
    base::Secret text;
    registry::DocumentForm form = registry::DocumentForm::config;
  };
  std::vector<Document> documents;
  std::vector<std::string> problems;  // "there is no Secret regcred in namespace shop": why one cannot be used
};

struct PullSecretQuery {
  std::string name_space;
  std::vector<std::string> names;           // the pod's imagePullSecrets
  std::string service_account = "default";  // whose pull secrets a pod gets that names none
};

// One request for the service account, where the pod names no secret, and one for each secret. What may not be read, or
// is not there, is a problem in words; an error only when the server does not answer.
base::Result<PullSecrets> read_pull_secrets(cluster::Client& client, const PullSecretQuery& query,
                                            std::stop_token stop);

using plan::ImageAccess;

enum class WithPlatforms { no, yes };

// Asks about "repository:tag@sha256:…": by digest where there is one. Every pull secret that knows the registry is
// tried in turn, without any it is asked anonymously, as a node does. One request where no token is needed, one or two
// more for the platforms. Waits at most a few seconds. Errors: invalid_input for what is no reference, interrupted.
base::Result<ImageAccess> look_up_image(std::string_view image, const PullSecrets& secrets,
                                        WithPlatforms with_platforms, const RegistryTrusts& trusts, const Ports& ports);

}  // namespace deployctl::execute
