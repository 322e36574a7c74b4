#include "cli/report/writer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace deployctl::cli::report {
namespace {

TEST(DescriptorWriter, goes_silent_when_the_reader_goes_away) {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const auto write = write_to_descriptor(ends[1]);
  write("first\n");
  close(ends[0]);
  write("second\n");
  write("third\n");
  close(ends[1]);
}

TEST(DescriptorWriter, waits_for_a_slow_reader_instead_of_losing_text) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_NONBLOCK), 0);
  const std::string text(1'000'000, 'x');
  std::jthread writer([&] {
    write_to_descriptor(ends[1])(text);
    close(ends[1]);
  });
  std::size_t read_bytes = 0;
  std::array<char, 65536> buffer{};
  while (true) {
    const auto count = read(ends[0], buffer.data(), buffer.size());
    if (count == 0) {
      break;
    }
    if (count > 0) {
      read_bytes += static_cast<std::size_t>(count);
    }
  }
  close(ends[0]);
  EXPECT_EQ(read_bytes, text.size());
}

}  // namespace
}  // namespace deployctl::cli::report
