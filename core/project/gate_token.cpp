#include "core/project/gate_token.hpp"

#include "core/base/overloaded.hpp"

#include <optional>

namespace deployctl::project {

const SecretSource* token_of(const Gate& gate) {
  const auto* const token =
      std::visit(base::Overloaded{
                     [](const HttpGate&) -> const std::optional<SecretSource>* { return nullptr; },
                     [](const auto& query) { return &query.token; },
                 },
                 gate.check);
  return token != nullptr && *token ? &**token : nullptr;
}

}  // namespace deployctl::project
