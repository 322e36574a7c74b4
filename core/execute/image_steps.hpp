// Building the image of a service, with the engine or natively, and bringing it to its registry.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/ports.hpp"
#include "core/execute/provenance_record.hpp"
#include "core/execute/step_report.hpp"
#include "core/plan/plan.hpp"
#include "core/project/model.hpp"

#include <string>

namespace deployctl::execute {

struct ImageResult {
  std::string reference;      // what the step made: "repository:tag", pinned by digest after a push
  bool is_unchanged = false;  // it was there already
  std::string remark;         // for people: size, bytes sent
  BuildTrace trace = {};      // of a build that provenance was asked for
};

base::Result<ImageResult> build_image(const project::Target& target, const project::Service& service,
                                      const plan::BuildImage& action, const Seen& seen, const StepReport& report,
                                      const Ports& ports);

base::Result<ImageResult> push_image(const project::Service& service, const plan::PushImage& action, const Seen& seen,
                                     const StepReport& report, const Ports& ports);

}  // namespace deployctl::execute
