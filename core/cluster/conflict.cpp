#include "core/cluster/conflict.hpp"

#include "core/base/text.hpp"
#include "core/cluster/field_path.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace deployctl::cluster {
namespace {

constexpr std::string_view conflict_reason = "FieldManagerConflict";
constexpr std::size_t longest_value = 120;

// The server tells the manager in prose only: conflict with "kubectl-edit" using apps/v1
std::string_view manager_in(std::string_view message) {
  const auto open = message.find('"');
  const auto close = message.find('"', open + 1);
  return open == std::string_view::npos || close == std::string_view::npos ? std::string_view("another manager")
                                                                           : message.substr(open + 1, close - open - 1);
}

std::string shown(const json::Value* value) {
  if (value == nullptr) {
    return "nothing";
  }
  auto text = json::to_compact_text(*value);
  if (text.size() > longest_value) {
    text = text.substr(0, base::utf8_boundary(text, longest_value)) + "…";
  }
  return base::printable(text);
}

std::string describe(const StatusCause& cause, const kube::Object& ours, const kube::Object* live) {
  const auto head = fmt::format("{} belongs to {}", cause.field, manager_in(cause.message));
  const auto* wanted = find_field(ours.body, cause.field);
  const bool is_secret = ours.kind() == "Secret";
  if (live == nullptr || wanted == nullptr || is_secret) {
    return head;
  }
  return fmt::format("{} (it has {}, we want {})", head, shown(find_field(live->body, cause.field)), shown(wanted));
}

}  // namespace

bool is_ownership_conflict(const StatusDetails& status) {
  return status.code == 409 && status.has_cause(conflict_reason);
}

bool is_conflict_with(const StatusDetails& status, std::string_view manager) {
  return is_ownership_conflict(status) && std::ranges::all_of(status.causes, [&](const StatusCause& cause) {
           return manager_in(cause.message) == manager;
         });
}

base::Error conflict_error(const kube::Object& ours, const kube::Object* live, const StatusDetails& status) {
  std::vector<std::string> parts;
  for (const auto& cause : status.causes) {
    auto part = describe(cause, ours, live);
    if (std::ranges::find(parts, part) == parts.end()) {  // the server names a field once for each of its versions
      parts.push_back(std::move(part));
    }
  }
  return base::Error::make(base::ErrorCode::conflict, "{} has fields that others manage: {}",
                           kube::to_string(ours.key()), base::join(parts, "; "))
      .with_hint("take them over with --take-over, or leave them out of the project manifest");
}

}  // namespace deployctl::cluster
