#include "core/project/suggestions.hpp"

#include "core/base/text.hpp"

namespace deployctl::project {

std::string ServiceSuggestions::of(std::string_view name) {
  if (left_ == 0) {
    return {};
  }
  --left_;
  if (names_.empty()) {
    for (const auto& service : services_) {
      names_.push_back(*service.name);
    }
  }
  return base::did_you_mean(name, names_);
}

}  // namespace deployctl::project
