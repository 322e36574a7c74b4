// Shell-like assignments: NAME=value, 'value' or "value" with a backslash before what the shell would read.
#include "core/sbom/os_release.hpp"

#include "core/base/text.hpp"

namespace deployctl::sbom {
namespace {

std::string unquoted(std::string_view value) {
  const bool is_quoted =
      value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.front() == value.back();
  if (!is_quoted) {
    return std::string(value);
  }
  const bool has_escapes = value.front() == '"';
  value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    i += has_escapes && value[i] == '\\' && i + 1 < value.size() ? 1 : 0;
    out += value[i];
  }
  return out;
}

std::string* member(OsRelease& release, std::string_view name) {
  if (name == "ID") {
    return &release.id;
  }
  if (name == "VERSION_ID") {
    return &release.version_id;
  }
  if (name == "NAME") {
    return &release.name;
  }
  if (name == "PRETTY_NAME") {
    return &release.pretty_name;
  }
  return name == "HOME_URL" ? &release.home_url : nullptr;
}

}  // namespace

OsRelease parse_os_release(std::string_view text) {
  OsRelease release;
  for (const auto line : base::split(text, '\n')) {
    const auto [name, value] = base::split_once(base::trim(line), '=');
    if (auto* wanted = member(release, name)) {
      *wanted = unquoted(base::trim(value));
    }
  }
  return release;
}

}  // namespace deployctl::sbom
