// A canary's settings as JSON: kept beside its progress, so that it can be finished or undone by a process that has
// nothing but the cluster. Tokens are not in it, only where they come from.
#pragma once

#include "core/base/result.hpp"
#include "core/json/value.hpp"
#include "core/project/model.hpp"

namespace deployctl::canary {

json::Value to_json(const project::Canary& canary);
base::Result<project::Canary> canary_from_json(const json::Value& value);

}  // namespace deployctl::canary
