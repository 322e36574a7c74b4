// deb-control(5): paragraphs parted by empty lines, "Field: value", continuation lines begin with white space. Field
// names are compared without case.
#include "core/sbom/debian.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace deployctl::sbom {
namespace {

// "openssl (3.0.11-1)" or "openssl".
void read_source(DebianPackage& package, std::string_view value) {
  const auto [name, rest] = base::split_once(value, '(');
  package.source = base::trim(name);
  package.source_version = base::trim(base::split_once(rest, ')').first);
}

// Gathers the fields of one paragraph; finish() says whether they are an installed package.
class Paragraph {
 public:
  void add(std::string_view line) {
    const auto [field, raw] = base::split_once(line, ':');
    const auto value = base::trim(raw);
    const auto name = base::to_lower(field);
    if (name == "package") {
      package_.name = value;
    } else if (name == "version") {
      package_.version = value;
    } else if (name == "architecture") {
      package_.architecture = value;
    } else if (name == "source") {
      read_source(package_, value);
    } else if (name == "maintainer") {
      package_.maintainer = value;
    } else if (name == "homepage") {
      package_.homepage = value;
    } else if (name == "status") {
      is_installed_ = value.ends_with(" installed");
    }
  }

  void finish(std::vector<DebianPackage>& packages) {
    if (is_installed_ && !package_.name.empty() && !package_.version.empty()) {
      if (package_.source.empty()) {
        package_.source = package_.name;
      }
      if (package_.source_version.empty()) {
        package_.source_version = package_.version;
      }
      packages.push_back(std::move(package_));
    }
    *this = {};
  }

 private:
  DebianPackage package_;
  bool is_installed_ = true;
};

// A path as archives have it: no leading "/", no "./"; empty for the root itself.
std::string_view relative(std::string_view path) {
  while (path.starts_with('/') || path.starts_with("./")) {
    path.remove_prefix(path.starts_with('/') ? 1 : 2);
  }
  return path == "." ? std::string_view() : path;
}

void add_path(std::vector<std::string>& paths, std::string_view path) {
  if (const auto kept = relative(path); !kept.empty()) {
    paths.emplace_back(kept);
  }
}

std::string_view without_carriage_return(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

}  // namespace

std::vector<DebianPackage> parse_dpkg_status(std::string_view text) {
  std::vector<DebianPackage> packages;
  Paragraph paragraph;
  for (auto line : base::split(text, '\n')) {
    line = without_carriage_return(line);
    if (base::trim(line).empty()) {
      paragraph.finish(packages);
    } else if (line.front() != ' ' && line.front() != '\t' && line.front() != '#') {
      paragraph.add(line);
    }
  }
  paragraph.finish(packages);
  return packages;
}

std::vector<std::string> parse_dpkg_list(std::string_view text) {
  std::vector<std::string> paths;
  for (const auto line : base::split(text, '\n')) {
    add_path(paths, without_carriage_return(line));
  }
  return paths;
}

std::vector<std::string> parse_md5sums(std::string_view text) {
  constexpr std::size_t digits = 32;
  std::vector<std::string> paths;
  for (auto line : base::split(text, '\n')) {
    line = without_carriage_return(line);
    if (line.size() > digits + 2 && line[digits] == ' ') {
      add_path(paths, line.substr(digits + 2));
    }
  }
  return paths;
}

std::string package_of_list(std::string_view file_name) {
  for (const std::string_view ending : {".list", ".md5sums"}) {
    if (file_name.ends_with(ending)) {
      file_name.remove_suffix(ending.size());
      break;
    }
  }
  return std::string(base::split_once(file_name, ':').first);
}

PackageUrl package_url(const DebianPackage& package, std::string_view distribution, std::string_view release) {
  const std::string id(distribution.empty() ? "debian" : distribution);
  const bool is_own_source = package.source == package.name && package.source_version == package.version;
  return {.type = "deb",
          .name_space = base::to_lower(id),
          .name = package.name,
          .version = package.version,
          .qualifiers = {{"arch", package.architecture},
                         {"distro", release.empty() ? "" : id + "-" + std::string(release)},
                         {"upstream", is_own_source ? "" : package.source + "@" + package.source_version}}};
}

}  // namespace deployctl::sbom
