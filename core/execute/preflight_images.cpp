#include "core/execute/preflight_images.hpp"

#include "core/execute/at_once.hpp"
#include "core/execute/world.hpp"
#include "core/json/reader.hpp"

#include <algorithm>
#include <mutex>
#include <set>

namespace deployctl::execute {
namespace {

struct Wanted {
  std::string service;
  std::string image;
  std::string account;  // of the pods
};

// A release that is gone back to may have services that the project manifest has not.
bool is_left_to_the_cluster(const ImagesQuestion& question, const std::string& of_service, const std::string& image) {
  const auto* service = question.target.find(of_service);
  const bool is_by_tag = service == nullptr ? image.find('@') == std::string::npos
                                            : !service->is_built() && service->pin == project::Pin::tag;
  return is_by_tag && !question.settled.contains(of_service);
}

std::vector<Wanted> wanted_by(const ImagesQuestion& question) {
  std::vector<Wanted> wanted;
  for (const auto& step : question.plan.steps) {
    const auto* apply = std::get_if<plan::ApplyObject>(&step.action);
    if (apply == nullptr) {
      continue;
    }
    const auto spec = json::Reader(apply->object.body).at("spec", "template", "spec");
    for (const auto& container : spec.at("containers").elements()) {
      auto image = container.at("image").string_or();
      const bool is_made = image.starts_with(plan::placeholder_for(""));
      if (!image.empty() && !is_made && !is_left_to_the_cluster(question, step.service, image)) {
        wanted.push_back({step.service, std::move(image), spec.at("serviceAccountName").string_or("default")});
      }
    }
  }
  return wanted;
}

// By service account. That of a namespace that is not there yet has none, and where pods name a secret it does not
// matter.
base::Result<std::map<std::string, PullSecrets>> pull_secrets_for(const std::vector<Wanted>& wanted,
                                                                  const ImagesQuestion& question,
                                                                  cluster::Client& client, const Ports& ports) {
  std::map<std::string, PullSecrets> secrets;
  for (const auto& each : wanted) {
    PullSecretQuery query{.name_space = question.plan.name_space, .names = {}, .service_account = each.account};
    if (!question.target.pull_secret.empty()) {
      query.names.push_back(question.target.pull_secret);
    }
    if (secrets.contains(each.account) || (query.names.empty() && !question.namespace_exists)) {
      secrets.try_emplace(each.account);
      continue;
    }
    auto read = read_pull_secrets(client, query, ports.stop);
    if (!read) {
      return read.error();
    }
    secrets.emplace(each.account, std::move(*read));
  }
  return secrets;
}

std::vector<std::string> problems_of(const std::map<std::string, PullSecrets>& secrets) {
  std::set<std::string> problems;
  for (const auto& [account, of_account] : secrets) {
    problems.insert(of_account.problems.begin(), of_account.problems.end());
  }
  return {problems.begin(), problems.end()};
}

}  // namespace

base::Result<ImagesAnswer> look_up_images(const ImagesQuestion& question, cluster::Client& client, const Ports& ports) {
  const auto wanted = wanted_by(question);
  const auto secrets = pull_secrets_for(wanted, question, client, ports);
  if (!secrets) {
    return secrets.error();
  }
  ImagesAnswer answer{.images = {}, .problems = problems_of(*secrets)};
  std::mutex mutex;
  Attempts attempts;
  for (const auto& each : wanted) {
    attempts.emplace_back([&]() -> base::Status {
      auto access = look_up_image(each.image, secrets->at(each.account), question.with_platforms,
                                  trusts_of(question.target), ports);
      const std::scoped_lock lock(mutex);
      if (access) {
        answer.images.emplace(each.service, std::move(*access));
      }
      return access ? base::Status() : access.error();
    });
  }
  const auto asked = try_at_once(attempts);
  return asked ? base::Result<ImagesAnswer>(std::move(answer)) : asked.error();
}

}  // namespace deployctl::execute
