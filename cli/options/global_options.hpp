// What every command takes: which project manifest, which environment, how to speak.
#pragma once

#include <string>

namespace deployctl::cli {

enum class OutputMode { automatic, plain, tty, json };
enum class ColorMode { automatic, always, never };

struct GlobalOptions {
  std::string file;         // empty: deployctl.yaml here or in a parent folder
  std::string environment;  // empty: none
  OutputMode output = OutputMode::automatic;
  ColorMode color = ColorMode::automatic;
  std::string log_level = "warn";
  bool quiet = false;
};

}  // namespace deployctl::cli
