#include "core/execute/used_secret.hpp"

#include "core/generate/kubernetes.hpp"

#include <array>

namespace deployctl::execute {

std::string used_secret(const project::Service& service, const kube::Object& deployment) {
  const std::array one{deployment};
  const auto prefix = generate::default_secret_name(service) + "-";
  for (const auto& reference : generate::references(one)) {
    if (reference.kind == "Secret" && reference.name.starts_with(prefix)) {
      return reference.name;
    }
  }
  return {};
}

}  // namespace deployctl::execute
