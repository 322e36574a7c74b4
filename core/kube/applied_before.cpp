#include "core/kube/applied_before.hpp"

#include "core/io/clock.hpp"
#include "core/json/reader.hpp"

#include <chrono>

namespace deployctl::kube {
namespace {

// The time is set before the webhooks are asked, which may take half a minute.
constexpr std::chrono::seconds longer_than_any_request{60};

}  // namespace

bool was_applied_before(const Object& answer, std::string_view manager, std::string_view answered_at) {
  const auto now = io::parse_rfc3339(answered_at);
  if (!now || answer.resource_version().empty()) {
    return false;
  }
  for (const auto& entry : json::Reader(answer.body).at("metadata", "managedFields").elements()) {
    if (entry.at("manager").string_or() != manager || entry.at("operation").string_or() != "Apply" ||
        !entry.at("subresource").string_or().empty()) {
      continue;
    }
    const auto written = io::parse_rfc3339(entry.at("time").string_or());
    return written && *now - *written > longer_than_any_request;
  }
  return false;
}

}  // namespace deployctl::kube
