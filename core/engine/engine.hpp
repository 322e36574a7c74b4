// A container engine on this machine, or the one DOCKER_HOST names, driven through its command-line client: docker,
// podman or buildah. What the clients cannot do alike stands in one table (client.hpp).
#pragma once

#include "core/base/result.hpp"
#include "core/engine/build.hpp"
#include "core/engine/image.hpp"
#include "core/io/environment.hpp"
#include "core/io/file_system.hpp"
#include "core/io/process.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace deployctl::engine {

enum class ClientKind { docker, podman, buildah };

// What carries builds out: BuildKit (built into the client or through its buildx plugin), docker's classic builder, or
// buildah's code, which is podman's as well. Secrets and cache mounts need anything but the classic one.
enum class Builder { buildkit, buildx, classic, buildah };

std::string_view to_string(ClientKind kind);
std::string_view to_string(Builder builder);

// What was found out about the engine.
struct EngineFacts {
  ClientKind kind = ClientKind::docker;
  std::string program;         // the client's path
  std::string client_version;  // "20.10.24+dfsg1"
  std::string server_version;  // the same as the client's where there is no server
  std::string platform;        // "linux/amd64", what it builds for by default
  std::string endpoint;        // "unix:///var/run/docker.sock"; empty where there is no server
  Builder builder = Builder::classic;

  // RUN --mount=type=secret and type=cache can be used.
  [[nodiscard]] bool has_mounts() const { return builder != Builder::classic; }
  // An ignore file may stand elsewhere than in the context.
  [[nodiscard]] bool takes_ignore_file() const { return builder != Builder::classic; }
};

using ByteSink = std::function<base::Status(std::string_view)>;

// The calls wait until the work is done. A stop request ends the client with all it started and gives `interrupted`.
class Engine {
 public:
  virtual ~Engine() = default;

  [[nodiscard]] virtual const EngineFacts& facts() const = 0;
  // Tags are set by the engine when the build has succeeded, never before.
  virtual BuildOutcome build(const BuildRequest& request, const BuildListener& listener, std::stop_token stop) = 0;
  // By reference or id; not_found when the engine has no such image.
  virtual base::Result<ImageFacts> inspect(const std::string& reference, std::stop_token stop) = 0;
  // The image as a docker archive (a tar with manifest.json), in pieces as it comes. An error of the sink's ends it.
  virtual base::Status save(const std::string& reference, const ByteSink& sink, std::stop_token stop) = 0;
  virtual base::Status tag(const std::string& source, const std::string& target, std::stop_token stop) = 0;
  // Only the name: the image stays while it has another one. Nothing there is success.
  virtual base::Status remove_tag(const std::string& reference, std::stop_token stop) = 0;
};

// Finds the clients on PATH and asks them about their engines. The first kind that is installed decides, in the order
// of ClientKind; of several dockers the first that can use BuildKit is taken, the first otherwise. `wanted` leaves out
// the other kinds. not_found when there is no client, unreachable when its engine does not answer within 15 s (the
// message names the endpoint), unauthorized when its socket may not be used. The arguments outlive the engine.
base::Result<std::unique_ptr<Engine>> detect(io::ProcessRunner& processes, const io::Environment& environment,
                                             io::FileSystem& files, std::stop_token stop,
                                             std::optional<ClientKind> wanted = {});

}  // namespace deployctl::engine
