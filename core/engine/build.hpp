// Building an image: what is asked for, what is heard meanwhile, and how it ended.
#pragma once

#include "core/base/error.hpp"
#include "core/base/secret.hpp"
#include "core/engine/image.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace deployctl::engine {

// Where the value of a build secret comes from. It reaches the engine through a file or a variable of the client's,
// never through its arguments.
struct SecretVariable {
  std::string name;
};
struct SecretFile {
  std::string path;
};
using BuildSecret = std::variant<SecretVariable, SecretFile, base::Secret>;

enum class Pull { when_missing, always };
enum class Cache { use, ignore };

struct BuildRequest {
  std::string context;                         // the directory that is sent
  std::string dockerfile;                      // its path; empty when the text is given
  std::optional<std::string> dockerfile_text;  // in place of a path
  // Beside dockerfile_text, for a context without an ignore file of its own; empty: all of it is sent. The classic
  // builder reads none but the context's own.
  std::string ignore_text;
  std::vector<std::string> tags;  // "shop/api:1.4"
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> args;     // not secret: they stay in the image's history
  std::map<std::string, BuildSecret> secrets;  // by id, for RUN --mount=type=secret,id=…
  std::string target;                          // a stage's name; empty: the last one
  std::string platform;                        // "linux/arm64"; empty: the engine's own
  std::string network;                         // "host", "none"; empty: the engine's default
  Pull pull = Pull::when_missing;
  Cache cache = Cache::use;
};

// A thing the engine said while it builds. Steps are numbered as the engine numbers them.
struct BuildProgress {
  enum class Kind { step_started, step_cached, step_done, step_failed, output };
  Kind kind = Kind::output;
  int step = 0;      // 0: belongs to none
  std::string text;  // the step's name, "[build 2/5] RUN go build ./…", or the line that was printed
  friend bool operator==(const BuildProgress&, const BuildProgress&) = default;
};

// Called from the thread that called build().
using BuildListener = std::function<void(const BuildProgress&)>;

struct BuiltImage {
  ImageFacts image;
  std::chrono::milliseconds elapsed{0};
  int steps = 0;  // of the Dockerfile, those that were cached among them
  int cached_steps = 0;
};

enum class BuildFailureCause {
  dockerfile,            // it cannot be read or understood
  missing_secret,        // a required build secret was not given
  missing_source,        // COPY or ADD names what the context does not have
  run_failed,            // a RUN instruction's program ended with an error
  base_image_missing,    // its registry has no such image
  base_image_denied,     // its registry wants a login, or refuses ours
  registry_unreachable,  // nothing answers where a base image should be
  disk_full,
  unsupported,  // this engine or its client cannot do what was asked
  engine,       // the engine cannot be reached, or went away
  interrupted,
  other,
};

std::string_view to_string(BuildFailureCause cause);

struct BuildFailure {
  BuildFailureCause cause = BuildFailureCause::other;
  base::Error error;                  // for people, with a hint where there is one
  std::string step;                   // the instruction that failed, as the engine names it; may be empty
  std::optional<int> exit_code;       // of a RUN instruction's program
  std::vector<std::string> evidence;  // the last lines it printed
};

using BuildOutcome = std::variant<BuiltImage, BuildFailure>;

}  // namespace deployctl::engine
