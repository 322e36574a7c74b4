// The values of the services' secrets, read from where the project manifest says they come from.
#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/io/environment.hpp"
#include "core/io/file_system.hpp"
#include "core/kube/object.hpp"
#include "core/project/model.hpp"

#include <map>
#include <string>
#include <vector>

namespace deployctl::execute {

// Service -> variable -> value.
using SecretValues = std::map<std::string, std::map<std::string, base::Secret>>;

// Services without secrets have no entry. invalid_input, pointing at the first, when variables are not set or files
// cannot be read; the message names them all.
base::Result<SecretValues> read_secrets(const project::Target& target,
                                        const std::vector<const project::Service*>& services,
                                        const io::Environment& environment, const io::FileSystem& files);

// One value; invalid_input when there is none. `directory` is the project's folder, which files are relative to.
base::Result<base::Secret> read_secret(const std::string& directory, const project::SecretSource& source,
                                       const io::Environment& environment, const io::FileSystem& files);

// Whether the variables that `build.secrets` names have values; else invalid_input, naming all that have none.
base::Status check_build_secrets(const project::Build& build, const io::Environment& environment);

// The Secret of a service, named after its content.
kube::Object secret_for(const project::Target& target, const std::string& service,
                        const std::map<std::string, base::Secret>& values);

}  // namespace deployctl::execute
