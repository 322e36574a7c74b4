#include "core/platform/interrupts.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace deployctl::platform {
namespace {

// Returns when the stop request has come, which it does from another thread.
void wait_for_stop(const Interrupts& interrupts) {
  while (!interrupts.token().stop_requested()) {
    std::this_thread::yield();
  }
}

TEST(Interrupts, MakeAStopRequestOfTheFirstSignal) {
  const Interrupts interrupts;
  EXPECT_FALSE(interrupts.token().stop_requested());
  std::raise(SIGTERM);
  wait_for_stop(interrupts);
}

TEST(Interrupts, TakeASignalThatComesTwiceForOne) {
  const Interrupts interrupts;
  std::raise(SIGINT);
  std::raise(SIGINT);
  std::raise(SIGTERM);
  wait_for_stop(interrupts);
}

TEST(InterruptsDeathTest, EndTheProcessAtTheSecondSignal) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const Interrupts interrupts;
        std::raise(SIGINT);
        std::this_thread::sleep_for(Interrupts::same_press);
        std::raise(SIGINT);
      },
      ::testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace deployctl::platform
