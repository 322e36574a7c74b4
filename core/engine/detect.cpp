// Which client to use. A machine may have several dockers on its PATH, an older one that carries BuildKit and a newer
// one without its plugin, say; the one that can do more goes first, as the order on PATH says nothing about that.
#include "core/base/text.hpp"
#include "core/engine/cli_engine.hpp"
#include "core/engine/client.hpp"
#include "core/engine/probe.hpp"

#include <algorithm>

namespace deployctl::engine {
namespace {

using base::Error;
using base::Result;

constexpr std::string_view default_path = "/usr/local/bin:/usr/bin:/bin";
constexpr std::uint32_t any_execute_bit = 0111;

bool is_program(const io::FileSystem& files, const std::string& path) {
  const auto info = files.stat(path);
  return info.kind == io::FileKind::regular && (info.mode & any_execute_bit) != 0;
}

// The program's places on PATH, first to last, each file once.
std::vector<std::string> places_of(std::string_view program, const io::Environment& environment,
                                   const io::FileSystem& files) {
  std::vector<std::string> places;
  std::vector<std::string> seen;
  const auto path = environment.get_or("PATH", default_path);
  for (const auto directory : base::split(path, ':')) {
    auto place = io::join_path(directory, program);
    if (!directory.starts_with('/') || !is_program(files, place)) {
      continue;
    }
    const auto file = files.canonical(place);
    const auto identity = file ? *file : place;
    if (std::ranges::find(seen, identity) == seen.end()) {
      seen.push_back(identity);
      places.push_back(std::move(place));
    }
  }
  return places;
}

// What has been learnt from asking clients so far.
struct Findings {
  std::optional<EngineFacts> best;
  std::optional<Error> first_error;

  void add(const Result<EngineFacts>& answer) {
    if (!answer) {
      first_error = first_error ? first_error : answer.error();
    } else if (!best || (best->builder == Builder::classic && answer->has_mounts())) {
      best = *answer;
    }
  }
  [[nodiscard]] bool has_any() const { return best || first_error; }
  [[nodiscard]] bool is_settled() const { return best && best->has_mounts(); }
};

}  // namespace

Result<std::unique_ptr<Engine>> detect(io::ProcessRunner& processes, const io::Environment& environment,
                                       io::FileSystem& files, std::stop_token stop, std::optional<ClientKind> wanted) {
  Findings findings;
  for (const auto& client : clients()) {
    if (findings.has_any() || (wanted && *wanted != client.kind)) {
      continue;  // a docker whose engine does not answer is told of: podman would build into another store
    }
    for (const auto& program : places_of(client.program, environment, files)) {
      if (stop.stop_requested()) {
        return Error::interrupted();
      }
      findings.add(probe(processes, environment, client, program, stop));
      if (findings.is_settled()) {
        break;
      }
    }
  }
  if (findings.best) {
    return std::unique_ptr<Engine>(std::make_unique<CliEngine>(std::move(*findings.best), processes, files));
  }
  if (findings.first_error) {
    return *findings.first_error;
  }
  return Error::not_found("there is no {} on PATH", wanted ? to_string(*wanted) : "docker, podman or buildah")
      .with_hint("install one, on Debian: apt install docker.io");
}

}  // namespace deployctl::engine
