// The keys of `strategy`: how new pods take the place of the old ones.
#pragma once

#include "core/project/form.hpp"
#include "core/project/written.hpp"

namespace deployctl::project {

Form<WrittenStrategy> strategy_form();

}  // namespace deployctl::project
