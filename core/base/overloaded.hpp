// A visitor for std::variant made of lambdas: std::visit(Overloaded{…}, variant).
#pragma once

namespace deployctl::base {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace deployctl::base
