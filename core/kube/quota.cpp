// The words are those of the quota admission plugin (apiserver/pkg/admission/plugin/resourcequota, checkRequest): of
// several quotas the first that has no room, of its resources those that have none.
#include "core/kube/quota.hpp"

#include "core/base/quantity.hpp"
#include "core/base/text.hpp"
#include "core/json/reader.hpp"

#include <algorithm>
#include <optional>

namespace deployctl::kube {
namespace {

// What stands between the two texts, or up to the end; nothing without the first.
std::optional<std::string_view> between(std::string_view text, std::string_view begin, std::string_view end) {
  const auto at = text.find(begin);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const auto rest = text.substr(at + begin.size());
  return rest.substr(0, rest.find(end));
}

std::optional<base::Quantity> amount(const std::map<std::string, std::string>& amounts, const std::string& resource) {
  const auto found = amounts.find(resource);
  const auto parsed = base::Quantity::parse(found == amounts.end() ? "" : found->second);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

// "pods=1".
bool has_room(const Quota& quota, std::string_view request) {
  const auto [resource, quantity] = base::split_once(request, '=');
  const auto requested = base::Quantity::parse(quantity);
  const auto hard = amount(quota.hard, std::string(resource));
  const auto used = amount(quota.used, std::string(resource));
  return requested && hard && used && used->thousandths() + requested->thousandths() <= hard->thousandths();
}

std::map<std::string, std::string> amounts_in(const json::Reader& amounts) {
  std::map<std::string, std::string> found;
  for (const auto& [resource, amount] : amounts.members()) {
    found.emplace(resource, amount.string_or());
  }
  return found;
}

}  // namespace

Quota Quota::from_json(const json::Value& body) {
  const json::Reader root(body);
  return {.hard = amounts_in(root.at("status", "hard")), .used = amounts_in(root.at("status", "used"))};
}

bool is_relieved(std::string_view refusal, const Quotas& quotas) {
  const auto name = between(refusal, "exceeded quota: ", ",");
  if (!name || name->empty()) {
    return false;
  }
  const auto quota = quotas.find(std::string(*name));
  if (quota == quotas.end()) {
    return true;
  }
  const auto requests = between(refusal, "requested: ", ", used:");
  return requests && std::ranges::all_of(base::split(*requests, ','),
                                         [&](std::string_view request) { return has_room(quota->second, request); });
}

}  // namespace deployctl::kube
