// The Compose file of a Target: every service that runs here, the way `docker compose up` starts it.
#pragma once

#include "core/base/result.hpp"
#include "core/json/value.hpp"
#include "core/project/model.hpp"

#include <string>
#include <string_view>

namespace deployctl::generate {

// The file as data. It has no `name:` because Compose 1.29, which Debian 12 has, refuses it; networks and volumes are
// named after the project instead.
json::Value compose(const project::Target& target, std::string_view tag);

// A literal text where Compose interpolates: every '$' doubled (Compose specification, "Interpolation").
std::string compose_literal(std::string_view text);

}  // namespace deployctl::generate
