#include "core/generate/inputs.hpp"

#include "core/generate/layout.hpp"
#include "core/project/program_files.hpp"

#include <algorithm>

namespace deployctl::generate {
namespace {

constexpr std::uint64_t largest_config_file = 1u << 20u;  // what a ConfigMap can hold
constexpr std::uint64_t largest_source_file = 1u << 20u;

std::string text_of(const io::FileSystem& files, const std::string& path) {
  auto text = files.read(path, largest_source_file);
  return text ? *std::move(text) : std::string();
}

// The source folder itself, else cmd/<service>, else the only program below cmd/ (the usual layout of Go projects).
std::string find_main_package(const io::FileSystem& files, const std::string& folder, const std::string& service) {
  const auto packages = project::go_main_packages(folder, files);
  for (const auto& usual : {std::string("."), "./cmd/" + service}) {
    if (std::ranges::find(packages, usual) != packages.end()) {
      return usual;
    }
  }
  return packages.size() == 1 ? packages.front() : "";
}

std::string only_executable(std::string_view cmake_lists) {
  const auto names = project::cmake_executables(cmake_lists);
  return names.size() == 1 ? names.front() : "";
}

SourceFacts read_source(const project::Target& target, const project::Service& service, const io::FileSystem& files) {
  SourceFacts facts;
  const auto folder = io::join_path(target.directory, source_folder(service));
  if (service.build->stack == project::Stack::go) {
    const auto module = project::read_go_mod(text_of(files, io::join_path(folder, "go.mod")));
    facts.go_version = module.version;
    facts.has_local_modules = module.has_local_modules;
    facts.has_vendor = files.stat(io::join_path(folder, "vendor/modules.txt")).kind == io::FileKind::regular;
    facts.main_package = find_main_package(files, folder, *service.name);
  } else if (service.build->stack == project::Stack::cpp) {
    facts.executable = only_executable(text_of(files, io::join_path(folder, "CMakeLists.txt")));
  }
  return facts;
}

// A symbolic link must not carry a file from elsewhere on this machine into an object.
bool is_inside(const io::FileSystem& files, const std::string& path, const std::string& directory) {
  const auto real = files.canonical(path);
  const auto root = files.canonical(directory);
  return !real || !root || (*real).starts_with(*root + "/");
}

base::Status read_config_files(const project::Target& target, const project::Service& service,
                               const io::FileSystem& files, Inputs& inputs) {
  for (const auto& file : service.files) {
    const auto path = io::join_path(target.directory, *file.source);
    if (!is_inside(files, path, target.directory)) {
      return base::Error::invalid_input("{} is outside the project", *file.source).at(file.source.span);
    }
    auto content = files.read(path, largest_config_file);
    if (!content) {
      return base::Error::invalid_input("{}", content.error().message)
          .within("reading {} for '{}'", *file.source, *service.name)
          .at(file.source.span);
    }
    inputs.files.insert_or_assign(*file.source, *std::move(content));
  }
  return {};
}

}  // namespace

SourceFacts Inputs::facts(const std::string& service) const {
  const auto found = sources.find(service);
  return found == sources.end() ? SourceFacts{} : found->second;
}

base::Result<Inputs> read_inputs(const project::Target& target, const io::FileSystem& files) {
  Inputs inputs;
  for (const auto& service : target.services) {
    if (auto status = read_config_files(target, service, files, inputs); !status) {
      return status.error();
    }
    if (has_generated_dockerfile(service)) {
      inputs.sources.insert_or_assign(*service.name, read_source(target, service, files));
    }
  }
  return inputs;
}

}  // namespace deployctl::generate
