// What can only be wrong between services.
#pragma once

#include "core/base/diagnostic.hpp"
#include "core/project/written.hpp"

namespace deployctl::project {

// Names in depends_on exist and lead in no circle; no port of the nodes is taken twice.
void check_services(const Services& services, base::Diagnostics& out);

}  // namespace deployctl::project
