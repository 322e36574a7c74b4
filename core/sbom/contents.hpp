// What an image consists of: its files with their checksums, the packages they came in, the modules Go programs were
// made of. Found in one reading of the layers; of the files only what is told about them is kept.
#pragma once

#include "core/oci/descriptor.hpp"
#include "core/oci/layer_reader.hpp"
#include "core/sbom/checksums.hpp"
#include "core/sbom/debian.hpp"
#include "core/sbom/go_build_info.hpp"
#include "core/sbom/os_release.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace deployctl::sbom {

struct FileRecord {
  std::string path;  // from the image's root: "usr/bin/env"
  std::uint64_t size = 0;
  Checksums checksums;
  bool is_elf = false;
  std::optional<std::size_t> package;  // the Debian package it came in, by its place in ImageContents::packages
};

struct ImageContents {
  std::vector<FileRecord> files;  // by path; regular files only, each name of a file that has several
  OsRelease system;
  std::vector<DebianPackage> packages;             // by name and architecture
  std::map<std::size_t, GoBuildInfo> go_programs;  // by place in `files`
  std::vector<std::string> remarks;                // what could not be looked into, for people
};

// Reads the layers of one image, lowest first.
class ContentsReader {
 public:
  ContentsReader();
  ~ContentsReader();
  ContentsReader(ContentsReader&&) noexcept;
  ContentsReader& operator=(ContentsReader&&) noexcept;

  // For reading the next layer; what it points into lives as long as the reader.
  oci::LayerVisitor next_layer();
  // Everything there is; call it once.
  ImageContents contents();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Gives the bytes of a blob to a sink, from wherever the image is.
using FetchBlob = std::function<base::Status(const oci::Descriptor& blob, const oci::PieceSink& sink)>;

// All layers of an image, lowest first.
base::Result<ImageContents> read_contents(const std::vector<oci::Descriptor>& layers, const FetchBlob& fetch);

}  // namespace deployctl::sbom
