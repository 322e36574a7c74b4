// "did you mean" among the services of a project. Only the first few of many wrong names get one: looking for it takes
// time for every service there is.
#pragma once

#include "core/project/written.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace deployctl::project {

class ServiceSuggestions {
 public:
  explicit ServiceSuggestions(const Services& services) : services_(services) {}

  // May be empty.
  std::string of(std::string_view name);

 private:
  const Services& services_;
  std::vector<std::string> names_;  // collected at the first question
  int left_ = 20;
};

}  // namespace deployctl::project
