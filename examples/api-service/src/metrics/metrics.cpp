#include "metrics/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace metrics {
namespace {

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      safe += '\\';
      safe += c;
    } else if (c == '\n') {
      safe += "\\n";
    } else {
      safe += c;
    }
  }
  return safe;
}

// The shortest text that reads back as the same number: 0.005, 1, 2.5.
std::string number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string_view known_method(std::string_view method) {
  static constexpr std::array<std::string_view, 7> known{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::ranges::find(known, method) == known.end() ? "OTHER" : method;
}

}  // namespace

std::string Family::head(std::string_view type) const {
  return "# HELP " + name_ + " " + help_ + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
}

std::string Family::label_set(const LabelValues& values, std::string_view more) const {
  std::string text;
  for (std::size_t at = 0; at < std::min(labels_.size(), values.size()); ++at) {
    text += (text.empty() ? "" : ",") + labels_[at] + "=\"" + escaped(values[at]) + "\"";
  }
  if (!more.empty()) {
    text += (text.empty() ? "" : ",") + std::string(more);
  }
  return text.empty() ? text : "{" + text + "}";
}

void Counter::add(const LabelValues& values) {
  const std::lock_guard lock(mutex_);
  ++counts_[values];
}

std::string Counter::text() const {
  const std::lock_guard lock(mutex_);
  std::string text = head("counter");
  for (const auto& [values, count] : counts_) {
    text += name_ + label_set(values) + " " + std::to_string(count) + "\n";
  }
  return text;
}

void Histogram::observe(const LabelValues& values, double amount) {
  const std::lock_guard lock(mutex_);
  Series& series = series_[values];
  series.buckets.resize(bounds_.size());
  const auto bound = std::ranges::lower_bound(bounds_, amount);
  if (bound != bounds_.end()) {
    ++series.buckets[static_cast<std::size_t>(bound - bounds_.begin())];
  }
  ++series.count;
  series.sum += amount;
}

std::string Histogram::text() const {
  const std::lock_guard lock(mutex_);
  std::string text = head("histogram");
  for (const auto& [values, series] : series_) {
    std::uint64_t up_to_bound = 0;
    for (std::size_t at = 0; at < bounds_.size(); ++at) {
      up_to_bound += series.buckets[at];
      text += name_ + "_bucket" + label_set(values, "le=\"" + number(bounds_[at]) + "\"") + " " +
              std::to_string(up_to_bound) + "\n";
    }
    text += name_ + "_bucket" + label_set(values, "le=\"+Inf\"") + " " + std::to_string(series.count) + "\n";
    text += name_ + "_sum" + label_set(values) + " " + number(series.sum) + "\n";
    text += name_ + "_count" + label_set(values) + " " + std::to_string(series.count) + "\n";
  }
  return text;
}

void Gauge::set(std::int64_t value, LabelValues labels) {
  value_ = value;
  label_values_ = std::move(labels);
}

std::string Gauge::text() const {
  return head("gauge") + name_ + label_set(label_values_) + " " + std::to_string(value_) + "\n";
}

Metrics::Metrics(std::string_view version, std::string_view commit)
    : requests("http_requests_total", "Requests answered.", {"method", "route", "status"}),
      durations("http_request_duration_seconds", "Time from the request read to its answer ready.", {"method", "route"},
                {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}),
      in_flight("http_requests_in_flight", "Requests being answered now."),
      build("app_build_info", "Always 1; the labels say what is running.", {"version", "commit"}),
      started("process_start_time_seconds", "Start of the process, seconds since the Unix epoch.") {
  using std::chrono::system_clock;
  build.set(1, {std::string(version), std::string(commit)});
  started.set(system_clock::to_time_t(system_clock::now()));
}

void Metrics::observe_request(std::string_view method, std::string_view route, int status,
                              std::chrono::duration<double> duration) {
  const std::string method_label(known_method(method));
  const std::string route_label(route.empty() ? "unmatched" : route);
  requests.add({method_label, route_label, std::to_string(status)});
  durations.observe({method_label, route_label}, duration.count());
}

std::string Metrics::text() const {
  return requests.text() + durations.text() + in_flight.text() + build.text() + started.text();
}

}  // namespace metrics
