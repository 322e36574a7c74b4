#include "core/registry/client.hpp"

#include "core/registry/copy.hpp"
#include "core/registry/document.hpp"
#include "core/registry/mount_source.hpp"
#include "core/registry/pull.hpp"
#include "core/registry/push.hpp"
#include "core/registry/referrers.hpp"
#include "core/registry/remove.hpp"
#include "core/registry/session.hpp"
#include "core/registry/tags.hpp"

#include <map>
#include <mutex>
#include <set>

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
  std::map<std::string, std::shared_ptr<Habits>> habits;  // by registry
  std::set<std::string> warned_of;

  std::shared_ptr<Session> session(const oci::Reference& repository, Access access, const std::string& also_pull = {}) {
    return session(repository.registry, repository.repository, access, also_pull);
  }
  std::shared_ptr<Session> session(const std::string& registry, const std::string& repository, Access access,
                                   const std::string& also_pull = {}) {
    const std::scoped_lock lock(mutex);
    auto& kept = sessions[fmt::format("{}/{} {} {}", registry, repository, static_cast<int>(access), also_pull)];
    if (!kept) {
      kept = std::make_shared<Session>(ports, options, registry, repository, access, also_pull, habits_of(registry));
      warn_if_insecure(*kept);
    }
    return kept;
  }
  std::shared_ptr<Habits> habits_of(const std::string& registry) {
    auto& known = habits[registry];
    if (!known) {
      known = std::make_shared<Habits>();
    }
    return known;
  }
  void warn_if_insecure(const Session& one) {
    if (one.is_insecure() && options.on_notice && warned_of.insert(one.registry()).second) {
      options.on_notice(fmt::format(
          "{} is named insecure: nothing shows that it is the right one, and others may read along", one.registry()));
    }
  }
};

namespace {

std::string tag_of(const oci::Reference& target) {
  return target.tag.empty() ? "latest" : target.tag;
}

// Adds what was being done to an error.
template <typename T>
Result<T> within(Result<T> result, std::string_view doing, const oci::Reference& reference) {
  return result ? result : result.error().within("{} {}", doing, oci::to_familiar(reference));
}

}  // namespace

Client::Client(Ports ports, ClientOptions options)
    : state_(std::make_unique<State>(std::move(ports), std::move(options))) {}

Client::~Client() = default;

Result<PushResult> Client::push(const oci::StoredImage& image, const oci::Reference& target,
                                const PushOptions& options) {
  const auto session = state_->session(target, Access::push, mount_source(image, target, state_->ports));
  return within(registry::push(*session, image, tag_of(target), options), "pushing", target);
}

Result<PushResult> Client::push(const oci::StoredIndex& index, const oci::Reference& target,
                                const PushOptions& options) {
  const auto mount_from =
      index.images.empty() ? std::string() : mount_source(index.images.front(), target, state_->ports);
  const auto session = state_->session(target, Access::push, mount_from);
  return within(registry::push(*session, index, tag_of(target), options), "pushing", target);
}

Result<bool> Client::points_at(const oci::Reference& target, const oci::Digest& digest, std::stop_token stop) {
  const auto session = state_->session(target, Access::push);
  const auto document = fetch_document(*session, tag_of(target), stop);
  if (document) {
    return document->digest == digest;
  }
  return document.error().code == base::ErrorCode::not_found ? Result<bool>(false) : document.error();
}

Result<RemoteDocument> Client::manifest(const oci::Reference& reference, std::stop_token stop) {
  return fetch_document(*state_->session(reference, Access::pull), reference.identifier(), stop);
}

Status Client::fetch_blob(const oci::Reference& repository, const oci::Descriptor& blob, const oci::PieceSink& sink,
                          std::stop_token stop) {
  return registry::fetch_blob(*state_->session(repository, Access::pull), blob, sink, stop);
}

Result<std::vector<std::string>> Client::tags(const oci::Reference& repository, std::stop_token stop) {
  return list_tags(*state_->session(repository, Access::pull), stop);
}

Result<Attached> Client::attach(const oci::StoredImage& artifact, const oci::Reference& repository,
                                const PushOptions& options) {
  const auto session = state_->session(repository, Access::push);
  return within(registry::attach(*session, artifact, options), "attaching to", repository);
}

Result<std::vector<oci::Descriptor>> Client::referrers(const oci::Reference& repository, const oci::Digest& subject,
                                                       std::string_view artifact_type, std::stop_token stop) {
  return list_referrers(*state_->session(repository, Access::pull), subject, artifact_type, stop);
}

Result<CopyResult> Client::copy(const oci::Reference& from, const oci::Reference& to, const CopyOptions& options) {
  const bool is_one_registry = from.registry == to.registry && from.repository != to.repository;
  const auto mount_from = is_one_registry ? from.repository : std::string();
  const auto source = state_->session(from, Access::pull);
  const auto target = state_->session(to, Access::push, mount_from);
  const CopyRoute route{.from = *source, .to = *target, .mount_from = mount_from};
  const auto identifier = to.digest ? to.digest->text() : tag_of(to);
  const auto copied = registry::copy(route, from.identifier(), identifier, options);
  return copied ? copied : copied.error().within("copying {} to {}", oci::to_familiar(from), oci::to_familiar(to));
}

Status Client::remove(const oci::Reference& reference, std::stop_token stop) {
  const auto removing = state_->session(reference, Access::remove);
  const auto writing = state_->session(reference, Access::push);
  return registry::remove({.removing = *removing, .writing = *writing}, reference.identifier(), stop);
}

Result<oci::Digest> Client::resolve(const oci::Reference& reference, std::stop_token stop) {
  const auto document = manifest(reference, stop);
  return document ? Result<oci::Digest>(document->digest) : document.error();
}

Result<bool> Client::exists(const oci::Reference& reference, std::stop_token stop) {
  return has_document(*state_->session(reference, Access::pull), reference.identifier(), stop);
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
