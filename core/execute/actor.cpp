#include "core/execute/actor.hpp"

#include "core/base/text.hpp"

#include <fmt/core.h>

namespace deployctl::execute {
namespace {

constexpr std::uint64_t longest_host_name = 256;

std::string host_name(const io::Environment& environment, const io::FileSystem& files) {
  const auto name = files.read("/proc/sys/kernel/hostname", longest_host_name);
  return name ? std::string(base::trim(*name)) : environment.get_or("HOSTNAME", "");
}

std::string user_name(const io::Environment& environment) {
  const auto home = environment.home_directory();
  return environment.get_or("USER", environment.get_or("LOGNAME", home.substr(home.rfind('/') + 1)));
}

}  // namespace

std::string actor(const io::Environment& environment, const io::FileSystem& files) {
  if (const auto user = environment.get_or("GITHUB_ACTOR", ""); !user.empty()) {
    return base::printable(fmt::format("{} (github run {})", user, environment.get_or("GITHUB_RUN_ID", "?")));
  }
  if (const auto user = environment.get_or("GITLAB_USER_LOGIN", ""); !user.empty()) {
    return base::printable(fmt::format("{} (gitlab job {})", user, environment.get_or("CI_JOB_ID", "?")));
  }
  const auto host = host_name(environment, files);
  return base::printable(user_name(environment) + (host.empty() ? "" : "@" + host));
}

}  // namespace deployctl::execute
