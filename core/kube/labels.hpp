// Labels of ours that more than one module has to know.
#pragma once

#include <string_view>

namespace deployctl::kube {

// On the pods of a service with a canary, the stable ones and the canary's: what the Service selects by while requests
// are shared by the number of pods.
inline constexpr std::string_view service_label = "deployctl.dev/service";

}  // namespace deployctl::kube
