#include "cli/commands/commands.hpp"
#include "cli/runtime.hpp"
#include "core/base/text.hpp"
#include "core/platform/terminal_input.hpp"
#include "core/project/load.hpp"
#include "core/project/scaffold.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <string>

namespace deployctl::cli {
namespace {

struct InitOptions {
  std::string registry;
  bool to_stdout = false;
  bool force = false;
};

std::string found_in_words(const project::Detected& detected) {
  std::string words;
  for (const auto& service : detected.services) {
    words += fmt::format("found {} in {}: {}\n", service.name, service.source, to_string(service.stack));
  }
  for (const auto& backing : detected.backing) {
    words += fmt::format("found {} in {}: {}\n", backing.name, detected.compose_file, backing.image);
  }
  return words;
}

// As people copy it from a browser.
std::string as_registry(std::string_view text) {
  text = base::trim(text);
  for (const std::string_view scheme : {"https://", "http://"}) {
    text.remove_prefix(text.starts_with(scheme) ? scheme.size() : 0);
  }
  return std::string(text.substr(0, text.find_last_not_of('/') + 1));
}

// On a terminal the one thing that cannot be guessed is asked for; anywhere else the placeholder stays.
base::Result<std::string> ask_for_registry(Runtime& runtime, const std::string& given) {
  if (!given.empty() || !runtime.stdin_is_terminal()) {
    return given;
  }
  fmt::print(stderr, "registry of the images, such as registry.example.com/team (empty: fill it in later): ");
  return platform::read_line(runtime.ports().stop);
}

base::Status refuse_overwriting(Runtime& runtime, const std::string& path, bool force) {
  if (!force && runtime.files().stat(path).kind != io::FileKind::none) {
    return base::Error::refused("{} is there already", io::file_name(path))
        .with_hint("'deployctl validate' checks it; --force replaces it, --stdout shows what would be written");
  }
  return {};
}

int init(Runtime& runtime, const InitOptions& options) {
  const auto folder = runtime.files().current_directory();
  const auto path = io::join_path(folder, std::string(project::default_manifest_name));
  if (!options.to_stdout) {
    if (const auto free = refuse_overwriting(runtime, path, options.force); !free) {
      return runtime.fail(free.error());
    }
  }
  const auto detected = project::detect(folder, runtime.files());
  if (detected.services.empty() && detected.backing.empty()) {
    return runtime.fail(
        base::Error::not_found("found nothing here that could be deployed")
            .with_hint("run it beside go.mod, CMakeLists.txt, package.json, pom.xml, Cargo.toml, index.html, "
                       "a Dockerfile or a Compose file"));
  }
  const auto registry =
      options.to_stdout ? base::Result(options.registry) : ask_for_registry(runtime, options.registry);
  if (!registry) {
    return runtime.fail(registry.error());
  }
  const auto text = project::scaffold(detected, {.project = io::file_name(folder), .registry = as_registry(*registry)});
  if (options.to_stdout) {
    runtime.print(text);
    return 0;
  }
  if (const auto written = runtime.files().write(path, text, io::Permissions::plain); !written) {
    return runtime.fail(written.error());
  }
  runtime.print(found_in_words(detected) + fmt::format("wrote {}\n", project::default_manifest_name));
  runtime.remark("next: 'deployctl validate', 'deployctl generate', 'deployctl release'");
  return 0;
}

}  // namespace

Action declare_init(CLI::App& parser) {
  auto options = std::make_shared<InitOptions>();
  parser.add_option("--registry", options->registry, "registry of the images: host[:port][/path]")
      ->type_name("HOST/PATH");
  auto* to_stdout = parser.add_flag("--stdout", options->to_stdout, "print it instead of writing deployctl.yaml");
  parser.add_flag("--force", options->force, "replace a deployctl.yaml that is there")->excludes(to_stdout);
  return [options](Runtime& runtime) { return init(runtime, *options); };
}

}  // namespace deployctl::cli
