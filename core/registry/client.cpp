#include "core/registry/client.hpp"

#include "core/registry/push.hpp"
#include "core/registry/session.hpp"

#include <map>
#include <mutex>

namespace deployctl::registry {

using base::Error;
using base::Result;
using base::Status;

// Sessions are kept, so that tokens, schemes and connections serve the next call as well.
struct Client::State {
  State(Ports to, ClientOptions with) : ports(std::move(to)), options(std::move(with)) {}

  Ports ports;
  ClientOptions options;
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Session>> sessions;

  std::shared_ptr<Session> session(const std::string& registry, const std::string& repository, Access access) {
    const std::scoped_lock lock(mutex);
    auto& kept = sessions[fmt::format("{}/{} {}", registry, repository, static_cast<int>(access))];
    if (!kept) {
      kept = std::make_shared<Session>(ports, options, registry, repository, access);
    }
    return kept;
  }
};

Client::Client(Ports ports, ClientOptions options)
    : state_(std::make_unique<State>(std::move(ports), std::move(options))) {}

Client::~Client() = default;

Result<PushResult> Client::push(const oci::StoredImage& image, const oci::Reference& target,
                                const PushOptions& options) {
  const auto session = state_->session(target.registry, target.repository, Access::push);
  auto result = registry::push(*session, image, target.tag.empty() ? "latest" : target.tag, options);
  return result ? result : result.error().within("pushing {}", oci::to_familiar(target));
}

Result<bool> Client::points_at(const oci::Reference& target, const oci::Digest& digest, std::stop_token stop) {
  const auto session = state_->session(target.registry, target.repository, Access::push);
  const auto document = fetch_document(*session, target.tag.empty() ? "latest" : target.tag, stop);
  if (document) {
    return document->digest == digest;
  }
  return document.error().code == base::ErrorCode::not_found ? Result<bool>(false) : document.error();
}

Result<RemoteDocument> Client::manifest(const oci::Reference& reference, std::stop_token stop) {
  const auto session = state_->session(reference.registry, reference.repository, Access::pull);
  return fetch_document(*session, reference.identifier(), stop);
}

Result<oci::Digest> Client::resolve(const oci::Reference& reference, std::stop_token stop) {
  const auto document = manifest(reference, stop);
  return document ? Result<oci::Digest>(document->digest) : document.error();
}

Result<bool> Client::exists(const oci::Reference& reference, std::stop_token stop) {
  const auto session = state_->session(reference.registry, reference.repository, Access::pull);
  const auto answer = session->send({.method = "HEAD",
                                     .url = session->url("manifests/" + reference.identifier()),
                                     .headers = {{"Accept", accepted_types()}}},
                                    stop);
  if (!answer) {
    return answer.error();
  }
  if (answer->response.is_success() || answer->response.status == 404) {
    return answer->response.is_success();
  }
  return session->refused(answer->response, fmt::format("find {} in", reference.identifier()));
}

Status Client::ping(const std::string& registry, std::stop_token stop) {
  const auto session = state_->session(registry, "", Access::none);
  const auto answer = session->send({.method = "GET", .url = session->url("")}, stop);
  if (!answer) {
    return answer.error();
  }
  return answer->response.is_success() ? Status() : session->refused(answer->response, "speak to");
}

}  // namespace deployctl::registry
