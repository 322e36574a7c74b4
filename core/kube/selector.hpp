// Which pods a Service leads to.
#pragma once

#include "core/kube/object.hpp"

#include <map>
#include <string>

namespace deployctl::kube {

// spec.selector of a Service, in no order; empty when it has none, and then it finds no pods by itself.
using Selector = std::map<std::string, std::string>;
Selector selector_of(const Object& service);

// As a request for a list has it: "app=web,tier=front".
std::string to_query(const Selector& selector);

}  // namespace deployctl::kube
