// What the engine is asked to build for a service: context, Dockerfile, labels, arguments. Pure but for template files.
#pragma once

#include "core/base/result.hpp"
#include "core/engine/build.hpp"
#include "core/engine/engine.hpp"
#include "core/execute/observe.hpp"
#include "core/io/file_system.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <map>
#include <string>

namespace deployctl::execute {

// The labels of a service's image, whatever builds it.
std::map<std::string, std::string> image_labels(const project::Target& target, const project::Service& service,
                                                const plan::BuildImage& action, const Seen& seen);

// A service without a Dockerfile of its own gets the generated one, with cache mounts where the engine has BuildKit.
base::Result<engine::BuildRequest> build_request(const project::Target& target, const project::Service& service,
                                                 const plan::BuildImage& action, const Seen& seen,
                                                 const engine::EngineFacts& engine, const io::FileSystem& files);

}  // namespace deployctl::execute
