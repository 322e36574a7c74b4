// The three forms:
//
//   BuildKit, all on stderr     #5 [build 2/4] RUN make      classic, stdout     Step 2/9 : RUN make
//                               #5 0.307 cc -o app …                              ---> Running in 832d5f5c1eed
//                               #5 DONE 1.2s | CACHED | ERROR: …                  ---> Using cache
//                                                                                 ---> e63bb488a143
//   podman, buildah             [1/2] STEP 2/4: RUN make,  --> Using cache 46f51dd3ef0,  --> 46f51dd3ef0
//
// BuildKit's steps run side by side, so that each line says whose it is; in the other forms a line belongs to the step
// begun last.
#include "core/engine/build_output.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <utility>

namespace deployctl::engine {
namespace {

using Kind = BuildProgress::Kind;

constexpr std::size_t kept_lines = 30;
constexpr std::size_t kept_messages = 40;
constexpr std::size_t digest_length = 71;  // "sha256:" and 64 digits

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view digits_at(std::string_view text) {
  return text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
}

int number_at(std::string_view text) {
  return static_cast<int>(base::parse_integer(digits_at(text)).value_or(0));
}

// "[build 2/5] RUN make" and "[2/5] RUN make", not "[internal] load build context" and no FROM, which carries nothing
// out.
bool is_instruction(std::string_view name) {
  const auto bracket = name.find(']');
  return name.starts_with('[') && bracket != std::string_view::npos && bracket > 1 && is_digit(name[bracket - 1]) &&
         !name.substr(bracket).starts_with("] FROM ");
}

// "0.307 compiling" is what a program printed, after the seconds since its step began.
bool starts_with_seconds(std::string_view text) {
  const auto whole = digits_at(text).size();
  return whole > 0 && text.size() > whole + 1 && text[whole] == '.' && is_digit(text[whole + 1]);
}

}  // namespace

std::string without_escape_sequences(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b' && i + 1 < text.size() && text[i + 1] == '[') {
      i = text.find_first_not_of("0123456789;:?<=> ", i + 2);
      if (i == std::string_view::npos) {
        break;
      }
    } else if (text[i] != '\r') {
      plain += text[i];
    }
  }
  return plain;
}

BuildOutputReader::BuildOutputReader(Builder builder, BuildListener listener)
    : builder_(builder),
      listener_(std::move(listener)),
      out_lines_([this](std::string_view line) { read_line(io::Stream::out, line); }),
      err_lines_([this](std::string_view line) { read_line(io::Stream::err, line); }) {}

void BuildOutputReader::add(io::Stream stream, std::string_view piece) {
  (stream == io::Stream::out ? out_lines_ : err_lines_).add(piece);
}

BuildLog BuildOutputReader::finish() {
  out_lines_.finish();
  err_lines_.finish();
  if (const auto step = steps_.find(failed_step_ != 0 ? failed_step_ : current_step_); step != steps_.end()) {
    log_.failed_step = step->second;
  }
  return std::move(log_);
}

void BuildOutputReader::read_line(io::Stream stream, std::string_view line) {
  const auto plain = without_escape_sequences(line);
  switch (builder_) {
    case Builder::buildkit:
    case Builder::buildx:
      return read_buildkit(plain);
    case Builder::classic:
      return read_classic(stream, plain);
    case Builder::buildah:
      return read_buildah(stream, plain);
  }
}

void BuildOutputReader::read_buildkit(std::string_view line) {
  if (line.starts_with("---")) {
    is_in_quotation_ = !is_in_quotation_;
    return;
  }
  const auto number = line.starts_with('#') ? number_at(line.substr(1)) : 0;
  if (number == 0) {
    if (!is_in_quotation_) {
      take_message(line);
    }
    return;
  }
  is_in_quotation_ = false;
  read_buildkit_step(number, base::split_once(line, ' ').second);
}

void BuildOutputReader::read_buildkit_step(int number, std::string_view text) {
  if (!steps_.contains(number)) {
    return begin_step(number, std::string(text));
  }
  if (text == "CACHED") {
    return end_step(number, Kind::step_cached);
  }
  if (text.starts_with("DONE ") || text == "CANCELED") {
    return end_step(number, Kind::step_done);
  }
  if (text.starts_with("ERROR: ")) {
    steps_[number].error = text.substr(7);
    return end_step(number, Kind::step_failed);
  }
  const bool is_own_digest = text.starts_with("sha256:") && text.size() == digest_length;
  if (starts_with_seconds(text) && !is_own_digest) {
    take_output(number, base::split_once(text, ' ').second);
  }
}

void BuildOutputReader::read_classic(io::Stream stream, std::string_view line) {
  if (stream == io::Stream::err) {
    const bool is_deprecation_notice = line.starts_with("DEPRECATED:") || line.starts_with("            ");
    return is_deprecation_notice ? void() : take_message(line);
  }
  if (line.starts_with("Step ") && line.find(" : ") != std::string_view::npos) {
    const auto place = base::split_once(line.substr(5), ' ').first;
    return begin_step(number_at(place), fmt::format("[{}] {}", place, line.substr(line.find(" : ") + 3)));
  }
  if (line.starts_with(" ---> Using cache")) {
    return end_step(current_step_, Kind::step_cached);
  }
  if (line.starts_with(" ---> Running in ") || line.starts_with("Removing intermediate container ") ||
      line.starts_with("Sending build context ") || line.starts_with("Successfully ")) {
    return;
  }
  return line.starts_with(" ---> ") ? end_step(current_step_, Kind::step_done) : take_output(current_step_, line);
}

void BuildOutputReader::read_buildah(io::Stream stream, std::string_view line) {
  if (stream == io::Stream::err) {
    const bool is_own = line.starts_with("Error: ") || line.starts_with("time=\"");
    return is_own ? take_message(line) : take_output(current_step_, line);
  }
  // With several stages, every line of the builder's begins with the stage: "[1/2] ".
  const auto stage = line.starts_with('[') ? line.substr(0, line.find("] ") + 1) : std::string_view();
  const auto text = stage.empty() ? line : line.substr(stage.size() + 1);
  if (text.starts_with("STEP ") && text.find(": ") != std::string_view::npos) {
    const auto place = base::split_once(text.substr(5), ':').first;
    const auto where =
        stage.empty() ? std::string(place) : fmt::format("stage {} step {}", stage.substr(1, stage.size() - 2), place);
    return begin_step(static_cast<int>(steps_.size()) + 1,
                      fmt::format("[{}] {}", where, text.substr(text.find(": ") + 2)));
  }
  if (text.starts_with("--> Using cache")) {
    return end_step(current_step_, Kind::step_cached);
  }
  if (text.starts_with("COMMIT ") || text.starts_with("Successfully tagged ")) {
    return;
  }
  return text.starts_with("--> ") ? end_step(current_step_, Kind::step_done) : take_output(current_step_, line);
}

void BuildOutputReader::begin_step(int number, std::string name) {
  current_step_ = number;
  steps_[number] = {.number = number, .name = name, .error = {}, .lines = {}};
  log_.steps += is_instruction(name) ? 1 : 0;
  listener_({.kind = Kind::step_started, .step = number, .text = std::move(name)});
}

void BuildOutputReader::end_step(int number, Kind how) {
  const auto& name = steps_[number].name;
  if (how == Kind::step_cached && is_instruction(name)) {
    ++log_.cached_steps;
  }
  if (how == Kind::step_failed && failed_step_ == 0) {
    failed_step_ = number;
  }
  listener_({.kind = how, .step = number, .text = name});
}

void BuildOutputReader::take_output(int number, std::string_view line) {
  if (number != 0) {
    auto& lines = steps_[number].lines;
    lines.emplace_back(line);
    if (lines.size() > kept_lines) {
      lines.pop_front();
    }
  }
  listener_({.kind = Kind::output, .step = number, .text = std::string(line)});
}

void BuildOutputReader::take_message(std::string_view line) {
  if (base::trim(line).empty() || line.starts_with("WARNING:") || line.starts_with("[Warning]")) {
    return;
  }
  log_.messages.emplace_back(line);
  if (log_.messages.size() > kept_messages) {
    log_.messages.erase(log_.messages.begin());
  }
}

}  // namespace deployctl::engine
