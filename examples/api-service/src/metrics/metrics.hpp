// What the service counts, in the Prometheus text format (version 0.0.4). Safe from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace metrics {

inline constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

using LabelValues = std::vector<std::string>;  // in the order of the family's label names

// One metric name with all its label combinations.
class Family {
 protected:
  Family(std::string name, std::string help, std::vector<std::string> labels)
      : name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)) {}
  std::string head(std::string_view type) const;
  // {method="GET",route="/"}: `more` is one further pair, already written.
  std::string label_set(const LabelValues& values, std::string_view more = {}) const;

  const std::string name_;
  const std::string help_;
  const std::vector<std::string> labels_;
};

class Counter : Family {
 public:
  Counter(std::string name, std::string help, std::vector<std::string> labels)
      : Family(std::move(name), std::move(help), std::move(labels)) {}
  void add(const LabelValues& values);
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::map<LabelValues, std::uint64_t> counts_;
};

class Histogram : Family {
 public:
  // The upper bounds, ascending; +Inf is added.
  Histogram(std::string name, std::string help, std::vector<std::string> labels, std::vector<double> bounds)
      : Family(std::move(name), std::move(help), std::move(labels)), bounds_(std::move(bounds)) {}
  void observe(const LabelValues& values, double amount);
  std::string text() const;

 private:
  struct Series {
    std::vector<std::uint64_t> buckets;  // one a bound, not cumulative
    std::uint64_t count = 0;
    double sum = 0;
  };
  const std::vector<double> bounds_;
  mutable std::mutex mutex_;
  std::map<LabelValues, Series> series_;
};

class Gauge : Family {
 public:
  Gauge(std::string name, std::string help, std::vector<std::string> labels = {})
      : Family(std::move(name), std::move(help), std::move(labels)) {}
  void add(std::int64_t amount) { value_ += amount; }
  void set(std::int64_t value, LabelValues labels = {});
  std::string text() const;

 private:
  std::atomic<std::int64_t> value_ = 0;
  LabelValues label_values_;
};

// Every metric of the service.
struct Metrics {
  Metrics(std::string_view version, std::string_view commit);

  // Methods outside the standard ones count as "OTHER" and an empty route as "unmatched": clients choose both.
  void observe_request(std::string_view method, std::string_view route, int status,
                       std::chrono::duration<double> duration);
  std::string text() const;

  Counter requests;
  Histogram durations;
  Gauge in_flight;
  Gauge build;
  Gauge started;
};

}  // namespace metrics
