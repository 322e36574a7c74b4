// Why a build failed, from what it printed. Exit codes do not tell: docker ends with 1 or with the program's own code,
// podman mostly with 125, whatever the cause.
#pragma once

#include "core/engine/build.hpp"
#include "core/engine/build_output.hpp"
#include "core/engine/engine.hpp"

namespace deployctl::engine {

BuildFailure classify_failure(const BuildLog& log, const EngineFacts& engine);

}  // namespace deployctl::engine
