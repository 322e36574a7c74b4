#include "core/engine/cli_engine.hpp"

#include "core/base/text.hpp"
#include "core/engine/build_failure.hpp"
#include "core/engine/build_output.hpp"
#include "core/engine/client.hpp"
#include "core/engine/probe.hpp"

#include <chrono>

namespace deployctl::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kept_error_output = 16u << 10u;

// A directory with what must not be left lying about.
class PrivateDirectory {
 public:
  static Result<PrivateDirectory> make(io::FileSystem& files) {
    auto path = files.make_temporary_directory();
    return path ? Result<PrivateDirectory>(PrivateDirectory(files, *path)) : path.error();
  }
  PrivateDirectory(PrivateDirectory&& other) noexcept : files_(other.files_), path_(std::exchange(other.path_, {})) {}
  PrivateDirectory& operator=(PrivateDirectory&&) = delete;
  ~PrivateDirectory() {
    if (!path_.empty()) {
      [[maybe_unused]] const auto removed = files_->remove_tree(path_);
    }
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  PrivateDirectory(io::FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}

  io::FileSystem* files_;
  std::string path_;
};

BuildFailureCause cause_of(const Error& error) {
  return error.code == ErrorCode::interrupted ? BuildFailureCause::interrupted : BuildFailureCause::other;
}

BuildFailure failure_from(const Error& error, BuildFailureCause cause) {
  BuildFailure failure;
  failure.cause = cause;
  failure.error = error;
  return failure;
}

// The client's last word, in one line.
std::string complaint(std::string_view output) {
  const auto lines = base::split(base::trim(output), '\n');
  return base::printable(base::trim(lines.back()));
}

bool says_there_is_none(std::string_view output) {
  const auto text = base::to_lower(output);
  for (const std::string_view words :
       {"no such image", "image not known", "reference does not exist", "no such object"}) {
    if (text.find(words) != std::string::npos) {
      return true;
    }
  }
  return false;
}

Error command_error(const EngineFacts& facts, const std::string& reference, std::string_view output) {
  if (auto error = engine_error(output, facts.endpoint)) {
    return *error;
  }
  if (says_there_is_none(output)) {
    return Error::not_found("the engine has no image '{}'", reference);
  }
  return Error::failed("{} could not be used with '{}': {}", to_string(facts.kind), reference, complaint(output));
}

}  // namespace

CliEngine::CliEngine(EngineFacts facts, io::ProcessRunner& processes, io::FileSystem& files)
    : facts_(std::move(facts)), processes_(processes), files_(files) {}

BuildOutcome CliEngine::build(const BuildRequest& request, const BuildListener& listener, std::stop_token stop) {
  const auto directory = PrivateDirectory::make(files_);
  if (!directory) {
    return failure_from(directory.error(), BuildFailureCause::other);
  }
  const auto files = prepare_files(request, directory->path());
  if (!files) {
    return failure_from(files.error(), BuildFailureCause::other);
  }
  const auto command = build_command(facts_, request, *files);
  if (!command) {
    return failure_from(command.error(), BuildFailureCause::unsupported);
  }
  return run_build(*command, files->image_id, listener, stop);
}

BuildOutcome CliEngine::run_build(const io::Command& command, const std::string& id_file, const BuildListener& listener,
                                  const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  BuildOutputReader reader(facts_.builder, listener);
  const auto status = processes_.run(
      command, [&](io::Stream stream, std::string_view piece) { reader.add(stream, piece); }, stop);
  const auto log = reader.finish();
  if (!status) {
    return failure_from(status.error(), cause_of(status.error()));
  }
  if (!status->is_success()) {
    return classify_failure(log, facts_);
  }
  const auto image = built_image(id_file, stop);
  if (!image) {
    return failure_from(image.error(), cause_of(image.error()));
  }
  const auto elapsed = std::chrono::steady_clock::now() - start;
  return BuiltImage{.image = *image,
                    .elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed),
                    .steps = log.steps,
                    .cached_steps = log.cached_steps};
}

Result<ImageFacts> CliEngine::built_image(const std::string& id_file, const std::stop_token& stop) {
  const auto id = files_.read(id_file, 4096);
  return id ? inspect(std::string(base::trim(*id)), stop) : id.error().within("reading the id of the image built");
}

Status CliEngine::write_dockerfile(const BuildRequest& request, const BuildFiles& files) {
  const auto written = files_.write(files.dockerfile, request.dockerfile_text.value_or(""), io::Permissions::plain);
  return written ? files_.write(files.ignore_file, request.ignore_text, io::Permissions::plain) : written;
}

Result<BuildFiles> CliEngine::prepare_files(const BuildRequest& request, const std::string& directory) {
  BuildFiles files{.image_id = io::join_path(directory, "image-id")};
  if (!request.ignore_text.empty() && facts_.takes_ignore_file()) {
    files.dockerfile = io::join_path(directory, "Dockerfile");
    files.ignore_file = files.dockerfile + ".dockerignore";
    if (auto written = write_dockerfile(request, files); !written) {
      return written.error();
    }
  }
  int number = 0;
  for (const auto& [id, secret] : request.secrets) {
    const auto* value = std::get_if<base::Secret>(&secret);
    if (value == nullptr) {
      continue;
    }
    const auto path = io::join_path(directory, fmt::format("secret-{}", ++number));
    if (auto written = files_.write(path, value->reveal(), io::Permissions::secret); !written) {
      return written.error();
    }
    files.secret_files[id] = path;
  }
  return files;
}

Result<io::Output> CliEngine::ask(std::span<const std::string_view> words, const std::vector<std::string>& arguments,
                                  const std::stop_token& stop) {
  return io::run_and_capture(processes_, client_command(facts_, words, arguments), stop);
}

Result<ImageFacts> CliEngine::inspect(const std::string& reference, std::stop_token stop) {
  const auto output = ask(client_of(facts_.kind).inspect, {reference}, stop);
  if (!output) {
    return output.error();
  }
  if (!output->status.is_success()) {
    return command_error(facts_, reference, output->err);
  }
  return parse_image_inspection(output->out);
}

Status CliEngine::save(const std::string& reference, const ByteSink& sink, std::stop_token stop) {
  const auto& client = client_of(facts_.kind);
  std::vector<std::string> arguments{reference};
  arguments.insert(arguments.end(), client.save_target.begin(), client.save_target.end());

  std::stop_source own_stop;  // ends the client when the sink wants no more
  const std::stop_callback pass_on(stop, [&own_stop] { own_stop.request_stop(); });
  Status sunk;
  std::string errors;
  const auto take = [&](io::Stream stream, std::string_view piece) {
    if (stream == io::Stream::err) {
      errors.append(piece.substr(0, kept_error_output - std::min(errors.size(), kept_error_output)));
    } else if (sunk) {
      sunk = sink(piece);
      if (!sunk) {
        own_stop.request_stop();
      }
    }
  };
  const auto status = processes_.run(client_command(facts_, client.save, arguments), take, own_stop.get_token());
  if (!sunk) {
    return sunk;
  }
  if (!status) {
    return status.error();
  }
  return status->is_success() ? Status() : command_error(facts_, reference, errors);
}

Status CliEngine::tag(const std::string& source, const std::string& target, std::stop_token stop) {
  constexpr std::string_view words[] = {"tag"};
  const auto output = ask(words, {source, target}, stop);
  if (!output) {
    return output.error();
  }
  return output->status.is_success() ? Status() : command_error(facts_, source, output->err);
}

Status CliEngine::remove_tag(const std::string& reference, std::stop_token stop) {
  const auto output = ask(client_of(facts_.kind).remove_tag, {reference}, stop);
  if (!output) {
    return output.error();
  }
  const bool is_gone = output->status.is_success() || says_there_is_none(output->err);
  return is_gone ? Status() : command_error(facts_, reference, output->err);
}

}  // namespace deployctl::engine
