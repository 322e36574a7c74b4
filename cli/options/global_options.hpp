// What every command takes: which project manifest, which environment, how to speak.
#pragma once

#include "cli/log.hpp"

#include <string>

namespace deployctl::cli {

enum class OutputMode { automatic, plain, tty, json };
enum class ColorMode { automatic, always, never };

struct GlobalOptions {
  std::string file;         // empty: deployctl.yaml here or in a parent folder
  std::string environment;  // empty: none
  OutputMode output = OutputMode::automatic;
  ColorMode color = ColorMode::automatic;
  LogLevel log_level = LogLevel::off;
  bool quiet = false;
};

}  // namespace deployctl::cli
