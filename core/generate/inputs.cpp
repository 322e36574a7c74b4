#include "core/generate/inputs.hpp"

#include "core/base/text.hpp"
#include "core/generate/layout.hpp"

#include <algorithm>
#include <optional>
#include <regex>

namespace deployctl::generate {
namespace {

constexpr std::uint64_t largest_config_file = 1u << 20u;  // what a ConfigMap can hold
constexpr std::uint64_t largest_source_file = 1u << 20u;

std::string text_of(const io::FileSystem& files, const std::string& path) {
  auto text = files.read(path, largest_source_file);
  return text ? *std::move(text) : std::string();
}

bool is_go_version(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char byte) { return (byte >= '0' && byte <= '9') || byte == '.'; });
}

// go.mod line by line (go.dev/ref/mod, "go.mod files"); a toolchain line is the version the module is really built
// with.
void read_go_mod(std::string_view text, SourceFacts& facts) {
  for (const auto raw : base::split(text, '\n')) {
    const auto line = base::trim(raw.substr(0, raw.find("//")));
    const auto [word, rest] = base::split_once(line, ' ');
    const auto value = base::trim(rest);
    if (word == "go" && is_go_version(value) && facts.go_version.empty()) {
      facts.go_version = value;
    } else if (word == "toolchain" && value.starts_with("go") && is_go_version(value.substr(2))) {
      facts.go_version = value.substr(2);
    }
    const auto arrow = line.find("=>");
    const auto replacement = arrow == std::string_view::npos ? "" : base::trim(line.substr(arrow + 2));
    facts.has_local_modules |= replacement.starts_with("./") || replacement.starts_with("../");
  }
}

bool declares_main(const io::FileSystem& files, const std::string& folder) {
  const auto names = files.list(folder);
  if (!names) {
    return false;
  }
  return std::ranges::any_of(*names, [&](const std::string& name) {
    if (!name.ends_with(".go") || name.ends_with("_test.go")) {
      return false;
    }
    const auto text = text_of(files, io::join_path(folder, name));
    const auto lines = base::split(text, '\n');
    return std::ranges::any_of(
        lines, [](std::string_view line) { return base::trim(line.substr(0, line.find("//"))) == "package main"; });
  });
}

// The source folder itself, else cmd/<service>, else the only program below cmd/ (the usual layout of Go projects).
std::string find_main_package(const io::FileSystem& files, const std::string& folder, const std::string& service) {
  if (declares_main(files, folder)) {
    return ".";
  }
  const auto commands = io::join_path(folder, "cmd");
  std::vector<std::string> programs;
  for (const auto& name : files.list(commands) ? *files.list(commands) : std::vector<std::string>{}) {
    if (declares_main(files, io::join_path(commands, name))) {
      programs.push_back(name);
    }
  }
  if (std::ranges::find(programs, service) != programs.end()) {
    return "./cmd/" + service;
  }
  return programs.size() == 1 ? "./cmd/" + programs.front() : "";
}

std::string only_executable(const std::string& cmake_lists) {
  static const std::regex call(R"(add_executable\s*\(\s*([A-Za-z0-9_.+-]+))", std::regex::icase);
  std::vector<std::string> names;
  for (std::sregex_iterator match(cmake_lists.begin(), cmake_lists.end(), call), end; match != end; ++match) {
    names.push_back((*match)[1]);
  }
  return names.size() == 1 ? names.front() : "";
}

SourceFacts read_source(const project::Target& target, const project::Service& service, const io::FileSystem& files) {
  SourceFacts facts;
  const auto folder = io::join_path(target.directory, source_folder(service));
  if (service.build->stack == project::Stack::go) {
    read_go_mod(text_of(files, io::join_path(folder, "go.mod")), facts);
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
