#include "core/execute/image_access.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/execute/world.hpp"
#include "core/json/reader.hpp"
#include "core/kube/resource.hpp"
#include "core/oci/image.hpp"
#include "core/oci/image_config.hpp"
#include "core/oci/reference.hpp"
#include "core/registry/client.hpp"

#include <algorithm>
#include <optional>

namespace deployctl::execute {
namespace {

using Answer = ImageAccess::Answer;
using base::ErrorCode;

constexpr std::string_view config_type = "kubernetes.io/dockerconfigjson";
constexpr std::string_view bare_type = "kubernetes.io/dockercfg";
// A question, not a transfer: who does not answer soon is unreachable for our purposes.
constexpr http::Timeouts patience{
    .connect = std::chrono::seconds(3), .total = std::chrono::seconds(8), .stall = std::chrono::seconds(5)};

base::Result<std::vector<std::string>> names_of_account(cluster::Client& client, const PullSecretQuery& query,
                                                        PullSecrets& secrets, std::stop_token stop) {
  const auto account = client.get({"v1", "ServiceAccount", query.name_space, query.service_account}, stop);
  std::vector<std::string> names;
  if (account) {
    for (const auto& reference : json::Reader(account->body).at("imagePullSecrets").elements()) {
      names.push_back(reference.at("name").string_or());
    }
    return names;
  }
  const auto code = account.error().code;
  if (code == ErrorCode::unauthorized) {
    secrets.problems.push_back(
        fmt::format("we may not read the service account {}, which may have pull secrets", query.service_account));
    return names;
  }
  return code == ErrorCode::not_found ? base::Result(names) : account.error();
}

// The document in a pull secret, or in words why there is none.
base::Result<PullSecrets::Document> document_of(const kube::Object& secret) {
  const json::Reader body(secret.body);
  const auto type = body.at("type").string_or();
  const bool is_bare = type == bare_type;
  if (!is_bare && type != config_type) {
    return base::Error::failed("the Secret {} is no pull secret: its type is {}", secret.name(), type);
  }
  auto text = base::base64_decode(body.at("data").at(is_bare ? ".dockercfg" : ".dockerconfigjson").string_or());
  if (!text) {
    return base::Error::failed("the pull secret {} is damaged: its data is not base64", secret.name());
  }
  return PullSecrets::Document{.name = secret.name(),
                               .text = base::Secret(std::move(*text)),
                               .form = is_bare ? registry::DocumentForm::bare : registry::DocumentForm::config};
}

base::Status read_pull_secret(cluster::Client& client, const PullSecretQuery& query, const std::string& name,
                              PullSecrets& secrets, std::stop_token stop) {
  const auto secret = client.get({"v1", "Secret", query.name_space, name}, stop);
  if (!secret) {
    const auto code = secret.error().code;
    if (code != ErrorCode::not_found && code != ErrorCode::unauthorized) {
      return secret.error();
    }
    secrets.problems.push_back(code == ErrorCode::not_found
                                   ? fmt::format("there is no Secret {} in namespace {}", name, query.name_space)
                                   : fmt::format("we may not read the pull secret {}", name));
    return {};
  }
  auto document = document_of(*secret);
  if (document) {
    secrets.documents.push_back(std::move(*document));
  } else {
    secrets.problems.push_back(document.error().message);
  }
  return {};
}

// Asks one registry with one set of credentials.
class Question {
 public:
  Question(const oci::Reference& reference, std::optional<registry::Credentials> credentials,
           const RegistryTrusts& trusts, const Ports& ports)
      : reference_(reference),
        credentials_(std::move(credentials)),
        client_({ports.transport, ports.clock, credentials_, ports.open_file}, options_for(trusts, ports)),
        stop_(ports.stop) {}

  base::Result<bool> exists() { return client_.exists(reference_, stop_); }

  base::Result<std::vector<oci::Platform>> platforms() {
    const auto document = client_.manifest(reference_, stop_);
    if (!document) {
      return document.error();
    }
    const auto parsed = oci::parse_document(document->bytes, document->media_type);
    if (!parsed) {
      return parsed.error();
    }
    return std::visit(base::Overloaded{
                          [&](const oci::ImageManifest& manifest) { return platform_of(manifest); },
                          [&](const oci::ImageIndex& index) { return platforms_of(index); },
                      },
                      *parsed);
  }

 private:
  static registry::ClientOptions options_for(const RegistryTrusts& trusts, const Ports& ports) {
    auto options = registry_options(ports, trusts);
    options.retry.attempts = 1;
    options.timeouts = patience;
    options.on_notice = {};
    return options;
  }

  base::Result<std::vector<oci::Platform>> platform_of(const oci::ImageManifest& manifest) {
    if (!oci::is_config_type(manifest.config.media_type) || manifest.config.size > oci::longest_config) {
      return std::vector<oci::Platform>();
    }
    std::string bytes;
    const auto fetched = client_.fetch_blob(
        reference_, manifest.config,
        [&](std::string_view piece) {
          bytes += piece;
          return base::Status();
        },
        stop_);
    if (!fetched) {
      return fetched.error();
    }
    const auto config = oci::parse_config(bytes);
    return config ? base::Result(std::vector<oci::Platform>{config->platform}) : config.error();
  }

  // Attestations stand in an index too, for a platform that nobody has.
  static base::Result<std::vector<oci::Platform>> platforms_of(const oci::ImageIndex& index) {
    std::vector<oci::Platform> platforms;
    for (const auto& image : index.manifests) {
      if (image.platform && image.platform->os != "unknown") {
        platforms.push_back(*image.platform);
      }
    }
    return platforms;
  }

  const oci::Reference& reference_;
  registry::FixedCredentials credentials_;
  registry::Client client_;
  std::stop_token stop_;
};

std::string name_in_registry(const oci::Reference& reference) {
  return fmt::format("{}{}{}", reference.repository, reference.digest ? "@" : ":", reference.identifier());
}

Answer answer_for(const base::Error& error) {
  switch (error.code) {
    case ErrorCode::not_found:
      return Answer::missing;
    case ErrorCode::unauthorized:
      return Answer::denied;
    default:
      return Answer::unreachable;
  }
}

std::string words_for(Answer answer, const oci::Reference& reference, const std::string& shown,
                      const base::Error* error) {
  switch (answer) {
    case Answer::exists:
      return fmt::format("{} has {}", reference.registry, name_in_registry(reference));
    case Answer::missing:
      return fmt::format("{} has no {}", reference.registry, name_in_registry(reference));
    case Answer::denied:
      return fmt::format("{} does not let {} be pulled {}", reference.registry, name_in_registry(reference), shown);
    case Answer::unreachable:
      return fmt::format("{} cannot be asked from here: {}", reference.registry,
                         error != nullptr ? base::to_string(*error) : "no answer");
  }
  return {};
}

base::Result<ImageAccess> ask(const oci::Reference& reference, std::optional<registry::Credentials> credentials,
                              const std::string& shown, WithPlatforms with_platforms, const RegistryTrusts& trusts,
                              const Ports& ports) {
  ImageAccess access{.shown = shown, .has_credentials = credentials.has_value()};
  Question question(reference, std::move(credentials), trusts, ports);
  std::optional<base::Error> error;
  if (with_platforms == WithPlatforms::yes) {
    if (auto platforms = question.platforms()) {
      access.platforms = std::move(*platforms);
    } else {
      error = platforms.error();
    }
  } else if (const auto found = question.exists(); !found) {
    error = found.error();
  } else if (!*found) {
    error = base::Error::not_found("no such image");
  }
  if (error && error->code == ErrorCode::interrupted) {
    return *error;
  }
  access.answer = error ? answer_for(*error) : Answer::exists;
  access.words = words_for(access.answer, reference, shown, error ? &*error : nullptr);
  return access;
}

}  // namespace

base::Result<PullSecrets> read_pull_secrets(cluster::Client& client, const PullSecretQuery& query,
                                            std::stop_token stop) {
  PullSecrets secrets;
  const auto names = query.names.empty() ? names_of_account(client, query, secrets, stop) : base::Result(query.names);
  if (!names) {
    return names.error().within("looking for pull secrets");
  }
  for (const auto& name : *names) {
    if (const auto status = read_pull_secret(client, query, name, secrets, stop); !status) {
      return status.error().within("reading the pull secret {}", name);
    }
  }
  return secrets;
}

base::Result<ImageAccess> look_up_image(std::string_view image, const PullSecrets& secrets,
                                        WithPlatforms with_platforms, const RegistryTrusts& trusts,
                                        const Ports& ports) {
  const auto reference = oci::Reference::parse(image);
  if (!reference) {
    return reference.error();
  }
  std::optional<ImageAccess> refused;
  for (const auto& document : secrets.documents) {
    const auto source = "the pull secret " + document.name;
    auto credentials =
        registry::credentials_in(document.text, document.form, reference->registry, reference->repository, source);
    if (!credentials || !*credentials) {
      continue;
    }
    auto access = ask(*reference, std::move(**credentials), "with " + source, with_platforms, trusts, ports);
    if (!access || access->answer == Answer::exists) {
      return access;
    }
    refused = std::move(*access);
  }
  return refused ? base::Result(*refused)
                 : ask(*reference, std::nullopt, "without credentials", with_platforms, trusts, ports);
}

}  // namespace deployctl::execute
