// Loading a project manifest that is written in the test.
#pragma once

#include "core/project/load.hpp"
#include "tests/support/memory_file_system.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace deployctl::tests {

// The files of a Go project: enough for `source: .` to be built.
inline Files go_project() {
  return {{"/project/go.mod", "module example.com/shop\n\ngo 1.22\n"}, {"/project/main.go", "package main\n"}};
}

inline project::Loaded load(std::string_view text, std::string_view environment = {},
                            const Files& files = go_project()) {
  const MemoryFileSystem file_system(files);
  const auto source = std::make_shared<const base::SourceFile>("deployctl.yaml", std::string(text));
  return project::load(source, "/project", environment, file_system);
}

// What the user would read, all of it.
inline std::string findings(const project::Loaded& loaded) {
  std::string text;
  for (const auto& item : loaded.diagnostics.sorted()) {
    text += base::render(item);
  }
  return text;
}

inline std::string findings(std::string_view text, std::string_view environment = {},
                            const Files& files = go_project()) {
  return findings(load(text, environment, files));
}

// The Target of a project manifest without mistakes; warnings are allowed.
inline project::Target target(std::string_view text, std::string_view environment = {},
                              const Files& files = go_project()) {
  auto loaded = load(text, environment, files);
  EXPECT_TRUE(loaded.target.has_value()) << findings(loaded);
  return loaded.target.value_or(project::Target{});
}

}  // namespace deployctl::tests
