#include "core/kube/selector.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"

#include <vector>

namespace deployctl::kube {

Selector selector_of(const Object& service) {
  Selector selector;
  for (const auto& [label, value] : json::Reader(service.body).at("spec", "selector").members()) {
    selector[label] = value.string_or();
  }
  return selector;
}

std::string to_query(const Selector& selector) {
  std::vector<std::string> terms;
  for (const auto& [label, value] : selector) {
    terms.push_back(label + "=" + value);
  }
  return base::join(terms, ",");
}

}  // namespace deployctl::kube
