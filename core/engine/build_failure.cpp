// The builders' messages are not an interface, so they are looked at in the order of how sure they are: words only the
// client writes about its engine, then about a program that ended, then about the Dockerfile; words that many programs
// use ("not found", "connection refused") count only when a base image was being fetched.
#include "core/engine/build_failure.hpp"

#include "core/base/text.hpp"
#include "core/engine/probe.hpp"

#include <algorithm>
#include <array>

namespace deployctl::engine {
namespace {

using base::Error;
using base::ErrorCode;
using Cause = BuildFailureCause;

constexpr std::size_t shown_instruction = 100;

struct Symptom {
  std::string_view words;  // lower-case
  Cause cause;
};

constexpr std::array general_symptoms{
    Symptom{"the --mount option requires buildkit", Cause::unsupported},
    Symptom{"unknown flag: ", Cause::unsupported},
    Symptom{"buildx component is missing", Cause::unsupported},
    Symptom{"feature is currently not supported", Cause::unsupported},
    Symptom{"dockerfile parse error", Cause::dockerfile},
    Symptom{"unknown instruction", Cause::dockerfile},
    Symptom{"cannot be empty", Cause::dockerfile},
    Symptom{"target stage ", Cause::dockerfile},
    Symptom{"failed to reach build target", Cause::dockerfile},
    Symptom{"was not found in the provided dockerfile", Cause::dockerfile},
    Symptom{"failed to read dockerfile", Cause::dockerfile},
    Symptom{"symlinks in dockerfile path", Cause::dockerfile},
    Symptom{"no build stage in current context", Cause::dockerfile},
    Symptom{"should not be blank", Cause::dockerfile},
    Symptom{"invalid reference format", Cause::dockerfile},
    Symptom{"failed to compute cache key", Cause::missing_source},
    Symptom{"failed to calculate checksum", Cause::missing_source},
    Symptom{"copy failed: ", Cause::missing_source},
    Symptom{"add failed: ", Cause::missing_source},
    Symptom{"checking on sources under", Cause::missing_source},
};

constexpr std::array base_image_symptoms{
    Symptom{"connection refused", Cause::registry_unreachable},
    Symptom{"no such host", Cause::registry_unreachable},
    Symptom{"timeout", Cause::registry_unreachable},
    Symptom{"deadline exceeded", Cause::registry_unreachable},
    Symptom{"connection reset", Cause::registry_unreachable},
    Symptom{"no route to host", Cause::registry_unreachable},
    Symptom{"network is unreachable", Cause::registry_unreachable},
    Symptom{"server misbehaving", Cause::registry_unreachable},
    Symptom{"x509: ", Cause::registry_unreachable},
    Symptom{"http response to https client", Cause::registry_unreachable},
    Symptom{"unauthorized", Cause::base_image_denied},
    Symptom{"no basic auth credentials", Cause::base_image_denied},
    Symptom{"access denied", Cause::base_image_denied},
    Symptom{"authorization failed", Cause::base_image_denied},
    Symptom{"error getting credentials", Cause::base_image_denied},
    Symptom{"forbidden", Cause::base_image_denied},
    Symptom{"denied: ", Cause::base_image_denied},
    Symptom{"manifest unknown", Cause::base_image_missing},
    Symptom{"name unknown", Cause::base_image_missing},
    Symptom{"not found", Cause::base_image_missing},
    Symptom{"no match for platform", Cause::base_image_missing},
    Symptom{"failed to do request", Cause::registry_unreachable},
};

// What the builders put before the reason proper.
constexpr std::array<std::string_view, 9> preambles{
    "ERROR: ",
    "Error: ",
    "Error response from daemon: ",
    "failed to solve with frontend dockerfile.v0: ",
    "failed to create LLB definition: ",
    "failed to build LLB: ",
    "failed to solve: ",
    "rpc error: code = Unknown desc = ",
    "creating build container: ",
};

bool contains(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

template <std::size_t Count>
const Symptom* find_symptom(const std::array<Symptom, Count>& symptoms, std::string_view text) {
  const auto found = std::ranges::find_if(symptoms, [&](const Symptom& row) { return contains(text, row.words); });
  return found == symptoms.end() ? nullptr : &*found;
}

// "RUN make" of "[build 2/5] RUN make".
std::string_view instruction_of(std::string_view step_name) {
  const auto end = step_name.starts_with('[') ? step_name.find("] ") : std::string_view::npos;
  return end == std::string_view::npos ? step_name : step_name.substr(end + 2);
}

std::string shortened(std::string_view text) {
  text = base::trim(base::split_once(text, '\n').first);
  const auto shown =
      base::printable(text.substr(0, base::utf8_boundary(text, std::min(text.size(), shown_instruction))));
  return shown.size() < text.size() ? shown + "…" : shown;
}

// ---- What the log says -----------------------------------------------------------------------------------------

// The log seen by the questions below.
struct Evidence {
  const BuildLog& log;
  std::string text;   // everything the builder said about the failure
  std::string lower;  // the same in lower case
};

Evidence evidence_of(const BuildLog& log) {
  auto text = log.failed_step.error + "\n" + base::join(log.messages, "\n");
  auto lower = base::to_lower(text);
  return {.log = log, .text = std::move(text), .lower = std::move(lower)};
}

// The number after the last occurrence of the words.
std::optional<int> number_after(std::string_view text, std::string_view words) {
  const auto place = text.rfind(words);
  if (place == std::string_view::npos) {
    return std::nullopt;
  }
  const auto rest = text.substr(place + words.size());
  const auto number = base::parse_integer(rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size())));
  return number ? std::optional<int>(static_cast<int>(*number)) : std::nullopt;
}

std::optional<int> program_exit_code(const Evidence& evidence) {
  if (contains(evidence.lower, "error getting credentials")) {
    return std::nullopt;  // that program was a credential helper
  }
  for (const std::string_view words : {"exit code: ", "returned a non-zero code: ", "exit status "}) {
    if (const auto code = number_after(evidence.lower, words)) {
      return code;
    }
  }
  return std::nullopt;
}

// The reference in "[internal] load metadata for shop/base:1", "[build 1/4] FROM --platform=… shop/base:1 AS build" and
// "invalid from flag value shop/base: …".
std::string base_reference(const Evidence& evidence) {
  for (const std::string_view words : {"load metadata for ", "resolve image config for "}) {
    if (const auto place = evidence.log.failed_step.name.find(words); place != std::string::npos) {
      return evidence.log.failed_step.name.substr(place + words.size());
    }
  }
  constexpr std::string_view from_flag = "invalid from flag value ";
  if (const auto place = evidence.text.find(from_flag); place != std::string::npos) {
    const auto rest = std::string_view(evidence.text).substr(place + from_flag.size());
    return std::string(rest.substr(0, rest.find(": ")));
  }
  const auto instruction = instruction_of(evidence.log.failed_step.name);
  if (instruction.starts_with("FROM ")) {
    for (const auto word : base::split(instruction.substr(5), ' ')) {
      if (!word.starts_with("--")) {
        return std::string(word);
      }
    }
  }
  return {};
}

std::string registry_of(std::string_view reference) {
  const auto host = base::split_once(reference, '/').first;
  const bool is_host = host != reference && (contains(host, ".") || contains(host, ":") || host == "localhost");
  return is_host ? std::string(host) : "docker.io";
}

bool asks_for_a_secret(const Evidence& evidence) {
  return contains(evidence.lower, "secret ") && contains(evidence.lower, "not found") &&
         contains(evidence.log.failed_step.name, "type=secret");
}

// The file in `"/missing.txt" not found`, `stat missing.txt: …` and `stat: "/missing.txt": …`.
std::string missing_path(const Evidence& evidence) {
  const std::string_view text = evidence.text;
  if (const auto stat = text.rfind("stat"); stat != std::string_view::npos && !contains(text.substr(stat), "\"")) {
    return std::string(base::split_once(base::trim(text.substr(stat + 4)), ':').first);
  }
  const auto end = text.rfind('"');
  const auto begin = end == std::string_view::npos || end == 0 ? std::string_view::npos : text.rfind('"', end - 1);
  return begin == std::string_view::npos ? std::string() : std::string(text.substr(begin + 1, end - begin - 1));
}

// The builder's reason without what is always the same.
std::string reason(const Evidence& evidence) {
  std::string_view text;
  for (const auto& message : evidence.log.messages) {
    const bool is_better = text.empty() || message.starts_with("ERROR: ") || message.starts_with("Error: ");
    text = is_better ? std::string_view(message) : text;
  }
  if (text.empty()) {
    text = evidence.log.failed_step.error;
  }
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (const auto preamble : preambles) {
      if (text.starts_with(preamble)) {
        text.remove_prefix(preamble.size());
        has_changed = true;
      }
    }
  }
  return text.empty() ? "it did not say why" : base::printable(text);
}

Cause cause_of(const Evidence& evidence) {
  if (contains(evidence.lower, "no space left on device") && !program_exit_code(evidence)) {
    return Cause::disk_full;
  }
  if (asks_for_a_secret(evidence)) {
    return Cause::missing_secret;
  }
  if (program_exit_code(evidence)) {
    return Cause::run_failed;
  }
  const bool was_fetching = !base_reference(evidence).empty() || contains(evidence.lower, "failed to do request") ||
                            contains(evidence.lower, "httpreadseeker") ||
                            contains(evidence.lower, "error getting credentials");
  if (const auto* symptom = was_fetching ? find_symptom(base_image_symptoms, evidence.lower) : nullptr) {
    return symptom->cause;
  }
  const auto* symptom = find_symptom(general_symptoms, evidence.lower);
  return symptom == nullptr ? Cause::other : symptom->cause;
}

// ---- What is told ----------------------------------------------------------------------------------------------

Error explain_run(const BuildFailure& failure) {
  const auto error = Error::failed("{} failed with exit code {}", shortened(instruction_of(failure.step)),
                                   failure.exit_code.value_or(0));
  const auto printed = base::to_lower(base::join(failure.evidence, "\n"));
  if (contains(printed, "no space left on device")) {
    return error.with_hint("the engine's disk may be full: docker system df shows what takes the room");
  }
  if (contains(printed, "exec format error")) {
    return error.with_hint("the image is for another processor: check build.platforms");
  }
  switch (failure.exit_code.value_or(0)) {
    case 126:
    case 127:
      return error.with_hint("the image of this stage does not have the program");
    case 137:
      return error.with_hint("it was killed, mostly for want of memory");
    default:
      return error;
  }
}

Error explain_base_image(Cause cause, const Evidence& evidence) {
  const auto reference = base_reference(evidence);
  const auto shown = reference.empty() ? "the base image" : base::printable(reference);
  const auto registry = registry_of(reference);
  switch (cause) {
    case Cause::base_image_missing:
      return Error::not_found("cannot pull {}: its registry has no such image", shown)
          .with_hint("check the name and tag, and build.base and build.runtime in the project manifest");
    case Cause::base_image_denied:
      return Error::unauthorized("cannot pull {}: {} wants a login or does not have it", shown, registry)
          .with_hint("docker login {}", registry);
    default:
      return Error::unreachable("cannot pull {}: {}", shown, reason(evidence))
          .with_hint("check the network, or name a mirror's image in build.base and build.runtime");
  }
}

Error explain(const BuildFailure& failure, const Evidence& evidence, const EngineFacts& engine) {
  switch (failure.cause) {
    case Cause::run_failed:
      return explain_run(failure);
    case Cause::dockerfile:
      return Error::invalid_input("the Dockerfile is not accepted: {}", reason(evidence));
    case Cause::missing_secret:
      return Error::invalid_input("the Dockerfile asks for a build secret that was not given: {}", reason(evidence))
          .with_hint("name it in build.secrets of the project manifest");
    case Cause::missing_source:
      return Error::invalid_input("{}: there is no '{}'", shortened(instruction_of(failure.step)),
                                  base::printable(missing_path(evidence)))
          .with_hint("paths are relative to the build context; .dockerignore may leave the file out");
    case Cause::base_image_missing:
    case Cause::base_image_denied:
    case Cause::registry_unreachable:
      return explain_base_image(failure.cause, evidence);
    case Cause::disk_full:
      return Error::failed("the engine's disk is full: {}", reason(evidence))
          .with_hint("docker system df shows what takes the room, docker builder prune frees caches");
    case Cause::unsupported:
      return Error::failed("{} {} with its {} cannot do this build: {}", to_string(engine.kind), engine.client_version,
                           to_string(engine.builder), reason(evidence))
          .with_hint("install the docker buildx plugin to build with BuildKit");
    default:
      return Error::failed("the build failed: {}", reason(evidence));
  }
}

}  // namespace

BuildFailure classify_failure(const BuildLog& log, const EngineFacts& engine) {
  const auto evidence = evidence_of(log);
  BuildFailure failure;
  failure.step = log.failed_step.name;
  if (auto error = engine_error(base::join(log.messages, "\n"), engine.endpoint)) {
    failure.cause = Cause::engine;
    failure.error = std::move(*error);
    return failure;
  }
  failure.cause = cause_of(evidence);
  failure.evidence.assign(log.failed_step.lines.begin(), log.failed_step.lines.end());
  if (failure.cause == Cause::run_failed) {
    failure.exit_code = program_exit_code(evidence);
  }
  failure.error = explain(failure, evidence, engine);
  return failure;
}

}  // namespace deployctl::engine
