#include "core/execute/images.hpp"

#include "core/plan/plan.hpp"

#include <nlohmann/json.hpp>

#include <functional>

namespace deployctl::execute {
namespace {

const std::string placeholder_prefix = plan::placeholder_for("");

// Calls `replace` for every "image" member that is text, however deep it lies.
base::Status visit_images(json::Value& value, const std::function<base::Status(json::Value&)>& replace) {
  for (auto& [key, member] : value.items()) {
    if (key == "image" && member.is_string()) {
      if (const auto replaced = replace(member); !replaced) {
        return replaced;
      }
    } else if (member.is_structured()) {
      if (const auto visited = visit_images(member, replace); !visited) {
        return visited;
      }
    }
  }
  return {};
}

}  // namespace

void Images::set(const std::string& service, std::string reference) {
  const std::lock_guard lock(mutex_);
  references_[service] = std::move(reference);
}

std::optional<std::string> Images::find(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto found = references_.find(service);
  return found == references_.end() ? std::nullopt : std::optional(found->second);
}

base::Result<kube::Object> Images::filled_in(const kube::Object& object) const {
  auto filled = object;
  const auto replaced = visit_images(filled.body, [&](json::Value& image) -> base::Status {
    const auto text = image.get<std::string>();
    if (!text.starts_with(placeholder_prefix)) {
      return {};
    }
    const auto service = text.substr(placeholder_prefix.size());
    const auto reference = find(service);
    if (!reference) {
      return base::Error::failed("the image of {} is not known", service);
    }
    image = *reference;
    return {};
  });
  if (!replaced) {
    return replaced.error();
  }
  return filled;
}

}  // namespace deployctl::execute
