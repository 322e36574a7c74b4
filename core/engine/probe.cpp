// docker: `version` shows client and server in one call. From version 23 on the client builds with BuildKit only
// through the buildx plugin; before, BuildKit is built in and DOCKER_BUILDKIT=1 turns it on (docker/cli,
// cmd/docker/builder.go). An engine that is podman behind docker's API has no BuildKit.
#include "core/engine/probe.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::engine {
namespace {

using base::Error;
using base::Result;
using json::Reader;

constexpr std::chrono::seconds version_timeout{11};
constexpr std::chrono::seconds question_timeout{2};
constexpr int first_docker_without_own_buildkit = 23;
constexpr std::string_view default_docker_endpoint = "unix:///var/run/docker.sock";

struct Asked {
  const Client& client;
  EngineFacts facts;
  io::ProcessRunner& processes;
  std::stop_token stop;
};

Result<io::Output> ask(const Asked& asked, const Words& words, std::chrono::seconds timeout) {
  auto command = client_command(asked.facts, words, {});
  command.timeout = timeout;
  return io::run_and_capture(asked.processes, command, asked.stop);
}

int major_version(std::string_view version) {
  return static_cast<int>(base::parse_integer(base::split_once(version, '.').first).value_or(0));
}

bool is_podman_behind_docker_api(const Reader& server) {
  for (const auto& component : server.at("Components").elements()) {
    if (component.at("Name").string_or() == "Podman Engine") {
      return true;
    }
  }
  return false;
}

Builder docker_builder(const Asked& asked, const Reader& server) {
  if (is_podman_behind_docker_api(server)) {
    return Builder::classic;
  }
  if (major_version(asked.facts.client_version) < first_docker_without_own_buildkit) {
    return Builder::buildkit;
  }
  const auto buildx = ask(asked, {"buildx", "version"}, question_timeout);
  return buildx && buildx->status.is_success() ? Builder::buildx : Builder::classic;
}

// DOCKER_HOST goes before the context; a context other than the default one has to be asked for.
std::string docker_endpoint(const Asked& asked, const io::Environment& environment, std::string_view context) {
  auto endpoint = environment.get_or("DOCKER_HOST", "");
  if (!endpoint.empty()) {
    return endpoint;
  }
  if (context.empty() || context == "default") {
    return std::string(default_docker_endpoint);
  }
  const auto answer = ask(asked, {"context", "inspect", "--format", "{{.Endpoints.docker.Host}}"}, question_timeout);
  return answer && answer->status.is_success() ? std::string(base::trim(answer->out))
                                               : fmt::format("context {}", context);
}

Error silent_engine(const Asked& asked, const std::string& endpoint, const Error& reason) {
  if (reason.code != base::ErrorCode::failed) {
    return reason;
  }
  return Error::unreachable("the engine at {} does not answer: {}", endpoint, reason.message)
      .with_hint("check that the engine is running: {} version", asked.client.program);
}

Result<EngineFacts> probe_docker(Asked asked, const io::Environment& environment) {
  const auto presumed_endpoint = environment.get_or("DOCKER_HOST", default_docker_endpoint);
  const auto output = ask(asked, asked.client.version, version_timeout);
  if (!output) {
    return silent_engine(asked, presumed_endpoint, output.error());
  }
  const auto value = json::parse(output->out, "the version of docker");
  const auto context = value ? Reader(*value).at("Client", "Context").string_or() : std::string();
  asked.facts.endpoint = docker_endpoint(asked, environment, context);
  if (auto error = engine_error(output->err, asked.facts.endpoint)) {
    return *error;
  }
  if (!value || !Reader(*value).at("Server").is_object()) {
    return Error::unreachable("the engine at {} cannot be used: {}", asked.facts.endpoint,
                              base::printable(base::trim(output->err)));
  }
  const Reader server = Reader(*value).at("Server");
  asked.facts.client_version = Reader(*value).at("Client", "Version").string_or();
  asked.facts.server_version = server.at("Version").string_or();
  asked.facts.platform = server.at("Os").string_or() + "/" + server.at("Arch").string_or();
  asked.facts.builder = docker_builder(asked, server);
  return asked.facts;
}

// podman and buildah do the work themselves: what runs is the engine.
Result<EngineFacts> probe_daemonless(Asked asked) {
  const auto output = ask(asked, asked.client.version, version_timeout);
  if (!output) {
    return silent_engine(asked, asked.facts.program, output.error());
  }
  if (!output->status.is_success()) {
    return Error::unreachable("{} cannot be used: {}", asked.client.program, base::printable(base::trim(output->err)));
  }
  const auto value = json::parse(output->out, "the version of the engine");
  if (!value) {
    return value.error();
  }
  const Reader answer(*value);
  const auto client = answer.at("Client").exists() ? answer.at("Client") : answer;
  for (const auto* name : {"Version", "version"}) {
    asked.facts.client_version += client.at(name).string_or();
  }
  asked.facts.server_version = asked.facts.client_version;
  for (const auto* name : {"OsArch", "osArch", "os/arch"}) {
    asked.facts.platform += client.at(name).string_or();
  }
  asked.facts.builder = Builder::buildah;
  return asked.facts;
}

// The address in "… at unix:///var/run/docker.sock. Is the …", or what we believe it to be.
std::string endpoint_in(std::string_view text, const std::string& presumed) {
  const auto at = text.find(" at ");
  const auto scheme = text.find("://");
  if (at == std::string_view::npos || scheme == std::string_view::npos || scheme < at) {
    return presumed;
  }
  auto address = base::split_once(text.substr(at + 4), ' ').first;
  while (address.ends_with('.') || address.ends_with(':')) {
    address.remove_suffix(1);
  }
  return std::string(address);
}

// The part of a Go error that names the cause: after the last "stderr=" of a connection helper, the last ": "
// otherwise.
std::string innermost(std::string_view text) {
  text = base::trim(base::split_once(base::trim(text), '\n').first);
  if (const auto helper = text.rfind("stderr="); helper != std::string_view::npos) {
    return base::printable(text.substr(helper + 7));
  }
  const auto dial = text.rfind("dial ");
  return base::printable(dial == std::string_view::npos ? text : text.substr(dial));
}

}  // namespace

std::optional<Error> engine_error(std::string_view output, const std::string& presumed_endpoint) {
  const auto says = [output](std::string_view words) { return output.find(words) != std::string_view::npos; };
  const auto endpoint = endpoint_in(output, presumed_endpoint);
  if (says("permission denied while trying to connect") || (says("dial unix") && says("permission denied"))) {
    return Error::unauthorized("the engine at {} refuses us: permission denied", endpoint)
        .with_hint("add yourself to the group that owns the socket (usermod -aG docker $USER), then log in again");
  }
  if (says("annot connect to the Docker daemon")) {
    return Error::unreachable("nothing answers at the engine's address {}", endpoint)
        .with_hint("start the engine, or set DOCKER_HOST to where it is");
  }
  if (says("error during connect") || says("failed to connect to the docker API")) {
    return Error::unreachable("the engine at {} cannot be reached: {}", endpoint, innermost(output))
        .with_hint("check DOCKER_HOST, or the docker context in use");
  }
  if (says("unable to resolve docker endpoint") || says("context not found")) {
    return Error::failed("docker's context cannot be used: {}", base::printable(base::trim(output)))
        .with_hint("see: docker context ls");
  }
  if (says("is too new. Maximum supported API version") || says("is too old. Minimum supported API version")) {
    return Error::failed("client and engine do not fit together: {}", base::printable(base::trim(output)))
        .with_hint("use a docker client nearer to the engine's version, or set DOCKER_API_VERSION");
  }
  return std::nullopt;
}

Result<EngineFacts> probe(io::ProcessRunner& processes, const io::Environment& environment, const Client& client,
                          const std::string& program, std::stop_token stop) {
  EngineFacts facts;
  facts.kind = client.kind;
  facts.program = program;
  Asked asked{.client = client, .facts = std::move(facts), .processes = processes, .stop = std::move(stop)};
  return client.kind == ClientKind::docker ? probe_docker(std::move(asked), environment)
                                           : probe_daemonless(std::move(asked));
}

}  // namespace deployctl::engine
