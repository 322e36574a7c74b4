// Putting the SBOM and the provenance of a pushed image beside it in its registry.
#pragma once

#include "core/base/result.hpp"
#include "core/execute/observe.hpp"
#include "core/execute/ports.hpp"
#include "core/plan/plan.hpp"

#include <string>

namespace deployctl::execute {

struct AttachResult {
  int attached = 0;              // documents that were not there yet
  bool by_fallback_tag = false;  // the registry has no referrers API
  std::string missing;           // what could not be said, for people: "no provenance: …"; may be empty
};

// `image` is pinned: "repository:tag@sha256:…". An index gets one provenance for all it lists, and each image of it an
// SBOM of its own. What is there already is not attached again. An error says why a registry did not take a document.
base::Result<AttachResult> attach_documents(const plan::AttachDocuments& action, const std::string& image,
                                            const Seen& seen, const std::string& tool_version, const Ports& ports);

}  // namespace deployctl::execute
