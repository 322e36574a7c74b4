#include "core/sbom/debian.hpp"
#include "core/sbom/go_build_info.hpp"
#include "core/sbom/os_release.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>

namespace deployctl::fuzz {
namespace {

std::optional<sbom::GoBuildInfo> find_in_pieces(std::string_view bytes, std::size_t piece) {
  sbom::GoBuildInfoFinder finder;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    finder.add(bytes.substr(0, piece));
  }
  return finder.found();
}

}  // namespace

void go_program(std::string_view bytes) {
  const auto whole = find_in_pieces(bytes, std::max<std::size_t>(bytes.size(), 1));
  require(whole == find_in_pieces(bytes, 5), "what is found does not depend on the cuts");
  require(whole == find_in_pieces(bytes, 4096), "what is found does not depend on the cuts");
  require(!whole || whole->is_old != !whole->go_version.empty(), "a Go program has a version or is old");
  (void)sbom::parse_go_build_info(bytes);
}

void dpkg(std::string_view bytes) {
  for (const auto& package : sbom::parse_dpkg_status(bytes)) {
    require(!package.name.empty() && !package.version.empty(), "a package has a name and a version");
    require(sbom::to_string(sbom::package_url(package, "debian", "12")).find_first_of(" \n+\"") == std::string::npos,
            "a package URL is encoded");
  }
  for (const auto& paths : {sbom::parse_dpkg_list(bytes), sbom::parse_md5sums(bytes)}) {
    require(std::ranges::none_of(paths, [](const auto& path) { return path.empty() || path.starts_with('/'); }),
            "paths are relative");
  }
  (void)sbom::parse_os_release(bytes);
}

}  // namespace deployctl::fuzz
