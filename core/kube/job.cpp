#include "core/kube/job.hpp"

#include "core/json/reader.hpp"
#include "core/kube/decode.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace deployctl::kube {
namespace {

const Condition* true_condition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto* condition = find_condition(conditions, type);
  return condition != nullptr && condition->status == "True" ? condition : nullptr;
}

}  // namespace

Job Job::from_json(const json::Value& body) {
  const json::Reader root(body);
  const auto metadata = root.at("metadata");
  const auto status = root.at("status");
  return {.name = metadata.at("name").string_or(),
          .uid = metadata.at("uid").string_or(),
          .resource_version = metadata.at("resourceVersion").string_or(),
          .active = static_cast<int>(status.at("active").integer_or()),
          .succeeded = static_cast<int>(status.at("succeeded").integer_or()),
          .failed = static_cast<int>(status.at("failed").integer_or()),
          .conditions = read_conditions(status.at("conditions"))};
}

bool Job::is_complete() const {
  return true_condition(conditions, "Complete") != nullptr;
}

// FailureTarget comes first where there is one (since Kubernetes 1.26), while pods still end.
const Condition* Job::failure() const {
  const auto* final = true_condition(conditions, "Failed");
  return final != nullptr ? final : true_condition(conditions, "FailureTarget");
}

std::string describe(const Job& job) {
  if (job.is_complete()) {
    return "complete";
  }
  if (const auto* failure = job.failure()) {
    return failure->message.empty() ? failure->reason : failure->message;
  }
  const auto tried = job.failed > 0 ? fmt::format("{} failed before, ", job.failed) : std::string();
  return tried + (job.active > 0 ? "a pod is there" : "waiting for a pod");
}

}  // namespace deployctl::kube
