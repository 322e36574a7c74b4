// The kubelet's word that it has no log, which it sends in place of one: with status 200, as if a program had printed
// it.
#pragma once

#include <string_view>

namespace deployctl::cluster {

// Whether what is in place of a log, or of a stamped line of one, says that the log cannot be had.
bool is_lost_log(std::string_view text);

}  // namespace deployctl::cluster
