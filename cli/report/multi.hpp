// One event, several reporters.
#pragma once

#include "core/events/event.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace deployctl::cli::report {

class Multi : public events::Sink {
 public:
  explicit Multi(std::vector<std::unique_ptr<events::Sink>> sinks) : sinks_(std::move(sinks)) {}
  void emit(const events::Event& event) override {
    for (const auto& sink : sinks_) {
      sink->emit(event);
    }
  }

 private:
  std::vector<std::unique_ptr<events::Sink>> sinks_;
};

}  // namespace deployctl::cli::report
