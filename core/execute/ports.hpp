// Everything outside that carrying out a plan touches, by reference: the composition root owns it, tests replace it.
#pragma once

#include "core/events/event.hpp"
#include "core/http/transport.hpp"
#include "core/io/clock.hpp"
#include "core/io/environment.hpp"
#include "core/io/file_system.hpp"
#include "core/io/git.hpp"
#include "core/io/process.hpp"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace deployctl::execute {

struct Ports {
  io::FileSystem& files;
  io::ProcessRunner& processes;
  io::Environment& environment;
  io::Clock& clock;
  io::GitRepository& git;
  http::Transport& transport;
  // A file's bytes as a request body.
  std::function<base::Result<std::shared_ptr<http::Body>>(const std::string& path)> open_file;
  events::Sink& events;
  std::stop_token stop;
};

}  // namespace deployctl::execute
