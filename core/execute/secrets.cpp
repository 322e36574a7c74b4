#include "core/execute/secrets.hpp"

#include "core/base/text.hpp"
#include "core/generate/kubernetes.hpp"

#include <optional>

namespace deployctl::execute {
namespace {

constexpr std::uint64_t largest_secret = 1u << 20u;  // what a Kubernetes Secret can hold

}  // namespace

base::Result<base::Secret> read_secret(const std::string& directory, const project::SecretSource& source,
                                       const io::Environment& environment, const io::FileSystem& files) {
  if (source.from == project::SecretSource::From::environment) {
    auto value = environment.get(source.name);
    if (!value || value->empty()) {
      return base::Error::invalid_input("the environment variable {} is {}", source.name, value ? "empty" : "not set");
    }
    return base::Secret(std::move(*value));
  }
  auto content = files.read(io::join_path(directory, source.name), largest_secret);
  if (!content) {
    return base::Error::invalid_input("{}", content.error().message);
  }
  return base::Secret(std::move(*content));
}

base::Result<SecretValues> read_secrets(const project::Target& target,
                                        const std::vector<const project::Service*>& services,
                                        const io::Environment& environment, const io::FileSystem& files) {
  SecretValues values;
  std::vector<std::string> problems;
  std::optional<base::SourceSpan> first_place;
  for (const auto* service : services) {
    for (const auto& secret : service->secrets) {
      auto value = read_secret(target.directory, secret.source, environment, files);
      if (value) {
        values[*service->name][secret.variable] = std::move(*value);
        continue;
      }
      problems.push_back(value.error().message);
      first_place = first_place.value_or(secret.span);
    }
  }
  if (!problems.empty()) {
    return base::Error::invalid_input("secrets have no value: {}", base::join(problems, "; "))
        .with_hint("set them where deployctl runs; they are never written to files")
        .at(*first_place);
  }
  return values;
}

base::Status check_build_secrets(const project::Build& build, const io::Environment& environment) {
  std::vector<std::string> missing;
  std::optional<base::SourceSpan> first_place;
  for (const auto& secret : build.secrets) {
    if (!environment.get(*secret)) {
      missing.push_back(*secret);
      first_place = first_place.value_or(secret.span);
    }
  }
  if (missing.empty()) {
    return {};
  }
  return base::Error::invalid_input("build secrets have no value: the environment variable{} {} {} not set",
                                    missing.size() == 1 ? "" : "s", base::join(missing, ", "),
                                    missing.size() == 1 ? "is" : "are")
      .with_hint("set them where deployctl builds; what is built without them would be kept as if it had them")
      .at(*first_place);
}

kube::Object secret_for(const project::Target& target, const std::string& service,
                        const std::map<std::string, base::Secret>& values) {
  // Salted with its place, so that equal names in two namespaces do not tell that two secrets are equal.
  return generate::secret_object(target, *target.find(service), values, *target.project + "/" + target.name_space);
}

}  // namespace deployctl::execute
