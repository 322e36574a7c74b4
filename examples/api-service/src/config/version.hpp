// What this binary was built from; given to CMake as APP_VERSION, APP_COMMIT and APP_BUILD_TIME.
#pragma once

#include <string_view>

namespace config {

extern const std::string_view built_version;
extern const std::string_view built_commit;
extern const std::string_view built_time;

}  // namespace config
