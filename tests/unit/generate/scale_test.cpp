#include "core/generate/artifacts.hpp"
#include "tests/unit/generate/sample.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace deployctl::generate {
namespace {

project::Target many_services(int count) {
  auto target = tests::mini();
  target.services.clear();
  for (int i = 0; i < count; ++i) {
    auto service = tests::go_service("service-" + std::to_string(i));
    service.build->source = tests::at("services/" + std::to_string(i));
    service.env = {{"LOG_LEVEL", tests::at(std::string("info"))}, {"NAME", tests::at(*service.name)}};
    target.services.push_back(std::move(service));
  }
  return target;
}

std::chrono::duration<double, std::milli> time_for(int count) {
  const auto target = many_services(count);
  const auto start = std::chrono::steady_clock::now();
  const auto made = artifacts(target, {}, {}, {.families = {Family::kubernetes}, .api = {}, .environments = {}});
  EXPECT_TRUE(made);
  EXPECT_EQ(made->size(), static_cast<std::size_t>(count) + 1);
  return std::chrono::steady_clock::now() - start;
}

// Not a benchmark: only that ten times the services do not take a hundred times as long.
TEST(Scale, GrowsWithTheNumberOfServicesAndNoFaster) {
  time_for(100);
  const auto hundred = time_for(100);
  const auto thousand = time_for(1000);
  RecordProperty("hundred_us", static_cast<int>(hundred.count() * 1000));
  RecordProperty("thousand_us", static_cast<int>(thousand.count() * 1000));
  EXPECT_LT(thousand.count(), hundred.count() * 40);
}

}  // namespace
}  // namespace deployctl::generate
