// From the text of a project manifest to a Target, with every mistake of the file reported in one run.
#pragma once

#include "core/base/diagnostic.hpp"
#include "core/base/result.hpp"
#include "core/io/file_system.hpp"
#include "core/project/model.hpp"

#include <optional>
#include <string>

namespace deployctl::project {

inline constexpr std::string_view default_manifest_name = "deployctl.yaml";

struct Loaded {
  std::optional<Target> target;   // nothing when there are errors
  base::Diagnostics diagnostics;  // warnings too
};

// Decodes the file and checks the whole of it, every environment included, then gives the Target of `environment`
// (empty: what stands above the environments). An environment that is not there is an error with a suggestion.
// Stacks that are not given are detected from the files beside it.
Loaded load(const base::SourcePtr& source, std::string_view directory, std::string_view environment,
            const io::FileSystem& files);

// Looks for deployctl.yaml (or .yml) in `directory` and its parents up to the file system's root. not_found otherwise,
// with a hint to run `deployctl init`.
base::Result<std::string> find_manifest(const std::string& directory, const io::FileSystem& files);

}  // namespace deployctl::project
