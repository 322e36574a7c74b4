#include "cli/commands/image/transfer_run.hpp"

#include "cli/commands/image/image_commands.hpp"
#include "cli/runtime.hpp"
#include "core/base/text.hpp"
#include "core/execute/step_report.hpp"

#include <fmt/core.h>

namespace deployctl::cli {
namespace {

std::string result_text(const images::Transferred& transferred) {
  if (transferred.was_there) {
    return "was there";
  }
  auto text = fmt::format("{} in {} blob{} sent", base::human_bytes(transferred.bytes), transferred.blobs,
                          transferred.blobs == 1 ? "" : "s");
  return transferred.mounted == 0 ? text : text + fmt::format(", {} mounted", transferred.mounted);
}

// "registry.example.com/team/api:v1@sha256:…", "oci:api:v1@sha256:…"
std::string pinned_name(const images::Location& to, const oci::Digest& digest) {
  return to.kind == images::Location::Kind::registry ? oci::to_familiar(to.reference.with_digest(digest))
                                                     : to_string(to) + "@" + digest.text();
}

// The registry's client names what it pushes to, and both ends of a copy.
base::Error in_context(const base::Error& error, const images::Location& from, const images::Location& to) {
  using Kind = images::Location::Kind;
  if (to.kind != Kind::registry) {
    return error.within("{} to {}", to_string(from), to_string(to));
  }
  return from.kind == Kind::registry ? error : error.within("{}", to_string(from));
}

}  // namespace

int run_transfer(Runtime& runtime, std::string_view command, const images::Location& from, const images::Location& to,
                 const images::TransferOptions& options) {
  if (const auto possible = images::check_transfer(from, to, options); !possible) {
    return runtime.fail(possible.error());
  }
  ImageAccess access(runtime);
  runtime.begin_run(fmt::format("image {}", command));
  execute::StepReport report(access.ports().events, access.ports().clock, std::string(command), "",
                             fmt::format("{} to {}", to_string(from), to_string(to)));
  const auto transferred = images::transfer(from, to, options, access.images(report.step()));
  if (!transferred) {
    report.finish(events::StepFinished::Outcome::failed, transferred.error().message);
    return runtime.end_run(in_context(transferred.error(), from, to));
  }
  const auto name = pinned_name(to, transferred->digest);
  report.finish(transferred->was_there ? events::StepFinished::Outcome::unchanged : events::StepFinished::Outcome::done,
                fmt::format("{} ({})", name, result_text(*transferred)));
  if (!runtime.wants_json()) {
    runtime.print(name + "\n");
  }
  return runtime.end_run({});
}

}  // namespace deployctl::cli
