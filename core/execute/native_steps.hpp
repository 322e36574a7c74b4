// Building with the native builder, and finding what it built: the same steps as with an engine, without one.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/image_steps.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/ports.hpp"
#include "core/execute/step_report.hpp"
#include "core/native/base_image.hpp"
#include "core/native/builder.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <cstdint>
#include <string>

namespace deployctl::execute {

// The image lies in the user's cache afterwards, under the name it will be pushed to.
base::Result<ImageResult> build_natively(const project::Target& target, const project::Service& service,
                                         const plan::BuildImage& action, const Seen& seen, const StepReport& report,
                                         const Ports& ports);

// Brings what was built for the reference to its registry. not_found when nothing was built here, or when its layers
// have left the cache since and the registry does not have it either.
base::Result<registry::PushResult> push_native(const oci::Reference& target, const oci::ImageStore& store,
                                               registry::Client& registry, const registry::PushOptions& options);

// SOURCE_DATE_EPOCH, which is the time of everything that is made; nothing where it is not set, usage when it is no
// number of seconds.
base::Result<std::optional<std::int64_t>> source_date(const io::Environment& environment);

// What is asked of the builder. refused for a stack that it does not compile.
base::Result<native::BuildRequest> native_request(const project::Target& target, const project::Service& service,
                                                  const plan::BuildImage& action, const Seen& seen, const Ports& ports);

}  // namespace deployctl::execute
