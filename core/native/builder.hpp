// The native builder: an image from source or from what is made already, without an engine and without root.
//
// From the lowest layer up, by how often they change: the base | certificates, user names, /tmp, the program behind the
// preStop hook, folders of volumes | one layer for each artifact, in the order they are named | the compiled program.
// The same input gives the same bytes (docs/native-builder.md).
#pragma once

#include "core/base/result.hpp"
#include "core/io/file_system.hpp"
#include "core/io/process.hpp"
#include "core/native/compile.hpp"
#include "core/oci/compression.hpp"
#include "core/oci/image_store.hpp"
#include "core/registry/client.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::native {

// A file or folder of this machine and where it goes. "{arch}" and "{os}" in `source` are the platform's.
struct Artifact {
  std::string path;    // in the image, absolute
  std::string source;  // relative to BuildRequest::source
};

struct BuildRequest {
  std::string project;  // absolute folder; what lies outside does not get into the image
  std::string source;   // absolute folder in it; its .dockerignore applies to what is taken from it
  Toolchain toolchain = Toolchain::none;
  std::string package;
  std::vector<Artifact> artifacts;
  std::vector<std::string> entrypoint;   // the compiled program stands where its first word says
  std::string runtime;                   // "scratch" or a reference
  std::vector<oci::Platform> platforms;  // at least one
  std::map<std::string, std::string> labels;
  std::vector<int> ports;
  std::vector<std::string> volumes;  // folders that belong to the user
  std::uint32_t user = 0;            // and group
  std::string version;
  std::string commit;
  std::map<std::string, std::string> variables;
  std::vector<std::string> secrets;
  std::string certificates;    // file with the authorities to trust; empty: none is put in
  std::string time_zone = {};  // "Asia/Shanghai": what the program is told that its time zone is; empty: nothing
  std::string zones = "/usr/share/zoneinfo";  // folder with the rules of this machine's time zones
  oci::Compression compression = oci::Compression::gzip;
  std::int64_t time = 0;        // when the image was made, seconds since 1970
  std::int64_t layer_time = 0;  // of every file in it
  std::string directory;        // for what is compiled, kept between builds
};

struct BuiltLayer {
  std::string what;  // "base", "certificates and folders", "artifact /app", "program"
  oci::Descriptor blob;
  std::uint64_t unpacked = 0;  // bytes of its files
  bool is_cached = false;      // nothing was read for it
};

struct LargeFile {
  std::string path;  // in the image, absolute
  std::uint64_t size = 0;
};

struct BuiltPlatform {
  oci::StoredImage image;
  std::vector<BuiltLayer> layers;  // lowest first
  std::vector<LargeFile> largest;  // the ten largest files that were put in, largest first
  [[nodiscard]] std::uint64_t unpacked_size() const;
};

struct BuiltImage {
  oci::AnyImage image;  // an index when several platforms were asked for
  std::vector<BuiltPlatform> platforms;
};

struct Ports {
  io::ProcessRunner& processes;
  io::FileSystem& files;
  registry::Client& registry;  // asked only for a base that is not scratch
  oci::ImageStore& store;
  std::function<void(std::string_view)> on_line;  // what compilers print, and what the builder does
  std::stop_token stop;
};

// refused for what should not or cannot be in an image (private keys, a program for another machine, shared libraries
// that nothing provides); errors of compile() and pull_base().
base::Result<BuiltImage> build(const BuildRequest& request, const Ports& ports);

// What takes the space, a line each: layers, then the largest files.
std::vector<std::string> space_report(const BuiltPlatform& built);

}  // namespace deployctl::native
