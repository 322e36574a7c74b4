#include "cli/report/error_text.hpp"

#include <gtest/gtest.h>

namespace deployctl::cli::report {
namespace {

TEST(RenderError, says_what_failed_from_the_outside_in_and_what_would_help) {
  const auto error = base::Error::unreachable("cannot reach the registry at 127.0.0.1:5000: connection refused")
                         .within("pushing demo/api")
                         .with_hint("is the registry running?");
  EXPECT_EQ(render_error(error),
            "error: pushing demo/api: cannot reach the registry at 127.0.0.1:5000: connection refused\n"
            "  hint: is the registry running?\n");
}

TEST(RenderError, quotes_the_line_behind_it) {
  const auto file = std::make_shared<base::SourceFile>("deployctl.yaml", "project: demo\nport: x\n");
  const auto error = base::Error::invalid_input("'x' is not a port").with_hint("1 to 65535").at({file, {2, 7}, 1});
  EXPECT_EQ(render_error(error),
            "deployctl.yaml:2:7: error: 'x' is not a port\n"
            "  2 | port: x\n"
            "    |       ^\n"
            "  hint: 1 to 65535\n");
}

TEST(RenderError, makes_text_from_outside_safe_and_keeps_its_lines_apart) {
  EXPECT_EQ(render_error(base::Error::failed("docker said:\n::stop-commands::x\n\x1b[2J\n")),
            "error: docker said:\n"
            "  | ::stop-commands::x\n"
            "  | \xEF\xBF\xBD[2J\n");
}

TEST(RenderError, colours_the_kind_only) {
  const auto file = std::make_shared<base::SourceFile>("f", "error: x\n");
  const auto error = base::Error::failed("no").at({file, {1, 1}, 1});
  EXPECT_EQ(render_error(error, Palette(true)), "f:1:1: \x1b[31merror:\x1b[0m no\n  1 | error: x\n    | ^\n");
}

}  // namespace
}  // namespace deployctl::cli::report
