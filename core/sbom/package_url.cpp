#include "core/sbom/package_url.hpp"

#include "core/base/text.hpp"

#include <fmt/format.h>

namespace deployctl::sbom {
namespace {

std::string percent_encoded(std::string_view text, std::string_view left_as_they_are) {
  std::string out;
  for (const char byte : text) {
    const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') ||
                          std::string_view(".-_~").find(byte) != std::string_view::npos ||
                          left_as_they_are.find(byte) != std::string_view::npos;
    out += is_plain ? std::string(1, byte) : fmt::format("%{:02X}", static_cast<unsigned char>(byte));
  }
  return out;
}

}  // namespace

std::string to_string(const PackageUrl& url) {
  auto text = "pkg:" + url.type + "/";
  if (!url.name_space.empty()) {
    text += percent_encoded(url.name_space, "/") + "/";
  }
  text += percent_encoded(url.name, "");
  if (!url.version.empty()) {
    text += "@" + percent_encoded(url.version, "");
  }
  char joint = '?';
  for (const auto& [key, value] : url.qualifiers) {
    if (!value.empty()) {
      text += joint + key + "=" + percent_encoded(value, "/:");
      joint = '&';
    }
  }
  return text;
}

PackageUrl go_module_url(std::string_view path, std::string_view version) {
  const auto lower = base::to_lower(path);
  const auto slash = lower.rfind('/');
  const bool is_plain = slash == std::string::npos;
  return {.type = "golang",
          .name_space = is_plain ? "" : lower.substr(0, slash),
          .name = is_plain ? lower : lower.substr(slash + 1),
          .version = version == "(devel)" ? std::string() : std::string(version),
          .qualifiers = {}};
}

}  // namespace deployctl::sbom
