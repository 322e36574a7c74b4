#include "core/project/model.hpp"

#include <algorithm>

namespace deployctl::project {

const Service* Target::find(std::string_view service_name) const {
  const auto found =
      std::ranges::find_if(services, [&](const Service& service) { return *service.name == service_name; });
  return found == services.end() ? nullptr : &*found;
}

std::string_view to_string(Stack stack) {
  switch (stack) {
    case Stack::go:
      return "go";
    case Stack::cpp:
      return "cpp";
    case Stack::node:
      return "node";
    case Stack::python:
      return "python";
    case Stack::java:
      return "java";
    case Stack::rust:
      return "rust";
    case Stack::static_site:
      return "static";
    case Stack::dockerfile:
      return "dockerfile";
    case Stack::image:
      return "image";
  }
  return "";
}

}  // namespace deployctl::project
