// Counts bytes of one piece of work and tells now and then how far it is.
#pragma once

#include "core/images/source.hpp"

#include <cstdint>
#include <string>

namespace deployctl::images {

class ProgressMeter {
 public:
  // Both must outlive it; `on_progress` may be empty.
  ProgressMeter(const OnProgress& on_progress, std::uint64_t total) : on_progress_(on_progress), total_(total) {}

  // There is more to do than was thought.
  void expect(std::uint64_t bytes) { total_ += bytes; }

  // Told at every mebibyte, and at the end.
  void add(const std::string& what, std::uint64_t bytes) {
    done_ += bytes;
    const bool is_due = done_ >= told_ + step || done_ == total_;
    if (is_due && on_progress_) {
      told_ = done_;
      on_progress_({.what = what, .done = done_, .total = total_});
    }
  }

 private:
  static constexpr std::uint64_t step = 1u << 20u;

  const OnProgress& on_progress_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace deployctl::images
