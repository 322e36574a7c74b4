#include "core/engine/build_command.hpp"

#include "core/base/overloaded.hpp"
#include "core/engine/client.hpp"

namespace deployctl::engine {
namespace {

using base::Error;
using base::Result;

class Arguments {
 public:
  void add(std::string option, std::string value) {
    words_.push_back(std::move(option));
    words_.push_back(std::move(value));
  }
  void add_if_given(const char* option, const std::string& value) {
    if (!value.empty()) {
      add(option, value);
    }
  }
  void add_flag(std::string flag) { words_.push_back(std::move(flag)); }
  void add_pairs(const char* option, const std::map<std::string, std::string>& pairs) {
    for (const auto& [name, value] : pairs) {
      add(option, name + "=" + value);
    }
  }
  std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

// "-" would mean stdin, and a leading dash an option.
std::string as_path(const std::string& path) {
  return path.starts_with('-') ? "./" + path : path;
}

std::string secret_source(const std::string& id, const BuildSecret& secret, const BuildFiles& files) {
  return std::visit(base::Overloaded{
                        [&](const SecretVariable& variable) { return "id=" + id + ",env=" + variable.name; },
                        [&](const SecretFile& file) { return "id=" + id + ",src=" + file.path; },
                        [&](const base::Secret&) { return "id=" + id + ",src=" + files.secret_files.at(id); },
                    },
                    secret);
}

// The variables must reach the client although its environment is filtered.
void pass_on_variables(const BuildRequest& request, io::Command& command) {
  for (const auto& [id, secret] : request.secrets) {
    if (const auto* variable = std::get_if<SecretVariable>(&secret)) {
      command.only_environment.push_back(variable->name);
    }
  }
}

void add_builder_options(const EngineFacts& engine, Arguments& arguments) {
  switch (engine.builder) {
    case Builder::buildx:
      arguments.add_flag("--load");  // into the engine's store, whatever driver is in use
      [[fallthrough]];
    case Builder::buildkit:
      arguments.add("--progress", "plain");
      break;
    case Builder::classic:
      arguments.add_flag("--force-rm");  // leaves no container of a step that failed
      break;
    case Builder::buildah:
      break;
  }
}

std::map<std::string, std::string> builder_environment(const EngineFacts& engine) {
  switch (engine.builder) {
    case Builder::buildkit:
      return {{"DOCKER_BUILDKIT", "1"}};
    case Builder::buildx:
      // Attestations would turn the image into an index.
      return {{"DOCKER_BUILDKIT", "1"}, {"BUILDX_NO_DEFAULT_ATTESTATIONS", "1"}};
    case Builder::classic:
      return {{"DOCKER_BUILDKIT", "0"}};
    case Builder::buildah:
      break;
  }
  return {};
}

// BuildKit finds the ignore file by the Dockerfile's name, buildah by an option.
void add_dockerfile(const EngineFacts& engine, const BuildRequest& request, const BuildFiles& files,
                    Arguments& arguments) {
  if (!request.dockerfile_text) {
    arguments.add("--file", as_path(request.dockerfile));
  } else if (files.dockerfile.empty()) {
    arguments.add("--file", "-");
  } else {
    arguments.add("--file", files.dockerfile);
    arguments.add_if_given("--ignorefile", engine.builder == Builder::buildah ? files.ignore_file : std::string());
  }
}

std::vector<std::string> build_arguments(const EngineFacts& engine, const BuildRequest& request,
                                         const BuildFiles& files) {
  Arguments arguments;
  add_builder_options(engine, arguments);
  add_dockerfile(engine, request, files, arguments);
  arguments.add("--iidfile", files.image_id);
  for (const auto& tag : request.tags) {
    arguments.add("--tag", tag);
  }
  arguments.add_pairs("--label", request.labels);
  arguments.add_pairs("--build-arg", request.args);
  for (const auto& [id, secret] : request.secrets) {
    arguments.add("--secret", secret_source(id, secret, files));
  }
  arguments.add_if_given("--target", request.target);
  arguments.add_if_given("--platform", request.platform);
  arguments.add_if_given("--network", request.network);
  if (request.pull == Pull::always) {
    arguments.add_flag("--pull");
  }
  if (request.cache == Cache::ignore) {
    arguments.add_flag("--no-cache");
  }
  arguments.add_flag(as_path(request.context));
  return arguments.take();
}

}  // namespace

Result<io::Command> build_command(const EngineFacts& engine, const BuildRequest& request, const BuildFiles& files) {
  if (!request.secrets.empty() && !engine.has_mounts()) {
    return Error::failed("{} {} has no BuildKit, which build secrets need", to_string(engine.kind),
                         engine.client_version)
        .with_hint("install the docker buildx plugin");
  }
  Words words{"build"};
  const auto& format = client_of(engine.kind).build_format;
  words.insert(words.end(), format.begin(), format.end());
  auto command = client_command(engine, words, build_arguments(engine, request, files));
  command.environment = builder_environment(engine);
  command.input = files.dockerfile.empty() ? request.dockerfile_text.value_or("") : std::string();
  pass_on_variables(request, command);
  return command;
}

}  // namespace deployctl::engine
