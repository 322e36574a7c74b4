// The only file that is compiled again when the commit changes.
#include "config/version.hpp"

namespace config {

const std::string_view built_version = APP_VERSION;
const std::string_view built_commit = APP_COMMIT;
const std::string_view built_time = APP_BUILD_TIME;

}  // namespace config
