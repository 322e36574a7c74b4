// The token that a gate shows to the server it asks.
#pragma once

#include "core/project/model.hpp"

namespace deployctl::project {

// Where its value comes from; null when the gate needs none.
const SecretSource* token_of(const Gate& gate);

}  // namespace deployctl::project
