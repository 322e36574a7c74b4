// The words are those of kubelet's ReadLogs (pkg/kubelet/kuberuntime/logs/logs.go: the file is gone, with its
// container) and GetContainerLogs (kuberuntime_container.go: the runtime does not know the container), or the runtime's
// own (dockershim, containerd). They are the whole of the answer.
#include "core/cluster/lost_log.hpp"

#include <algorithm>
#include <array>

namespace deployctl::cluster {
namespace {

constexpr std::array<std::string_view, 4> beginnings{
    "failed to try resolving symlinks in path", "unable to retrieve container logs",
    "rpc error: code = Unknown desc = Error: No such container: ",
    "rpc error: code = NotFound desc = an error occurred when try to find container"};

}  // namespace

bool is_lost_log(std::string_view text) {
  const bool is_one_line = text.find('\n') >= text.size() - std::min<std::size_t>(text.size(), 1);
  return is_one_line && std::ranges::any_of(beginnings, [&](auto beginning) { return text.starts_with(beginning); });
}

}  // namespace deployctl::cluster
