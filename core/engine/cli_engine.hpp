// An engine behind a command-line client.
#pragma once

#include "core/engine/build_command.hpp"
#include "core/engine/engine.hpp"

#include <span>
#include <string>
#include <vector>

namespace deployctl::engine {

class CliEngine : public Engine {
 public:
  // Both outlive the engine.
  CliEngine(EngineFacts facts, io::ProcessRunner& processes, io::FileSystem& files);

  [[nodiscard]] const EngineFacts& facts() const override { return facts_; }
  BuildOutcome build(const BuildRequest& request, const BuildListener& listener, std::stop_token stop) override;
  base::Result<ImageFacts> inspect(const std::string& reference, std::stop_token stop) override;
  base::Status save(const std::string& reference, const ByteSink& sink, std::stop_token stop) override;
  base::Status tag(const std::string& source, const std::string& target, std::stop_token stop) override;
  base::Status remove_tag(const std::string& reference, std::stop_token stop) override;

 private:
  // Runs the client; `id_file` is where it writes the image's id.
  BuildOutcome run_build(const io::Command& command, const std::string& id_file, const BuildListener& listener,
                         const std::stop_token& stop);
  base::Result<ImageFacts> built_image(const std::string& id_file, const std::stop_token& stop);
  base::Status write_dockerfile(const BuildRequest& request, const BuildFiles& files);
  base::Result<BuildFiles> prepare_files(const BuildRequest& request, const std::string& directory);
  base::Result<io::Output> ask(std::span<const std::string_view> words, const std::vector<std::string>& arguments,
                               const std::stop_token& stop);

  EngineFacts facts_;
  io::ProcessRunner& processes_;
  io::FileSystem& files_;
};

}  // namespace deployctl::engine
