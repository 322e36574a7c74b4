// What real clients printed, recorded: recordings/<client>-<what>.out and .err.
#pragma once

#include "core/engine/build_output.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace deployctl::engine {

// Empty when nothing was printed to the stream.
inline std::string recorded(const std::string& name) {
  std::ifstream file(DEPLOYCTL_SOURCE_DIR "/tests/unit/engine/recordings/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Replay {
  std::vector<BuildProgress> progress;
  BuildLog log;
};

inline Replay replay_text(Builder builder, const std::string& out, const std::string& err) {
  Replay replay;
  BuildOutputReader reader(builder, [&](const BuildProgress& event) { replay.progress.push_back(event); });
  reader.add(io::Stream::out, out);
  reader.add(io::Stream::err, err);
  replay.log = reader.finish();
  return replay;
}

inline Replay replay(Builder builder, const std::string& name) {
  return replay_text(builder, recorded(name + ".out"), recorded(name + ".err"));
}

}  // namespace deployctl::engine
