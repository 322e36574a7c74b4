#include "core/oci/platform.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <sys/utsname.h>
#include <utility>

namespace deployctl::oci {
namespace {

// What the kernel calls a machine, and what images do.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> machines{{{"x86_64", "amd64"},
                                                                                 {"aarch64", "arm64"},
                                                                                 {"armv7l", "arm"},
                                                                                 {"i686", "386"},
                                                                                 {"ppc64le", "ppc64le"},
                                                                                 {"s390x", "s390x"},
                                                                                 {"riscv64", "riscv64"},
                                                                                 {"loongarch64", "loong64"}}};

std::string_view full_variant(const Platform& platform) {
  return platform.architecture == "arm64" && platform.variant.empty() ? "v8" : std::string_view(platform.variant);
}

}  // namespace

base::Result<Platform> parse_platform(std::string_view text) {
  const auto parts = base::split(text, '/');
  const bool is_complete = std::ranges::none_of(parts, [](auto part) { return part.empty(); });
  if (parts.size() < 2 || parts.size() > 3 || !is_complete) {
    return base::Error::usage("'{}' is no platform: write linux/amd64 or linux/arm/v7", base::printable(text));
  }
  return Platform{.os = std::string(parts[0]),
                  .architecture = std::string(parts[1]),
                  .variant = std::string(parts.size() == 3 ? parts[2] : "")};
}

std::string to_string(const Platform& platform) {
  auto text = platform.os + "/" + platform.architecture;
  return platform.variant.empty() ? text : text + "/" + platform.variant;
}

bool is_for(const Platform& wanted, const Platform& has) {
  return wanted.os == has.os && wanted.architecture == has.architecture &&
         (wanted.variant.empty() || full_variant(wanted) == full_variant(has));
}

Platform host_platform() {
  utsname system{};
  const std::string_view machine = ::uname(&system) == 0 ? system.machine : "x86_64";
  const auto* const known = std::ranges::find(machines, machine, &std::pair<std::string_view, std::string_view>::first);
  return {.os = "linux", .architecture = std::string(known == machines.end() ? machine : known->second), .variant = {}};
}

}  // namespace deployctl::oci
