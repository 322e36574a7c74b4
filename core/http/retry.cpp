#include "core/http/retry.hpp"

#include "core/base/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace deployctl::http {
namespace {

using std::chrono::milliseconds;

constexpr std::array months{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

std::optional<unsigned> month_number(std::string_view name) {
  const auto found = std::ranges::find(months, base::to_lower(name.substr(0, 3)));
  return found == months.end() ? std::nullopt : std::optional(static_cast<unsigned>(found - months.begin()) + 1);
}

struct DateParts {
  std::string_view day, month, year, time;
};

// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
std::optional<DateParts> split_date(std::string_view text) {
  std::vector<std::string_view> words;
  for (const auto word : base::split(text, ' ')) {
    if (!word.empty()) {
      words.push_back(word);
    }
  }
  if (words.size() == 6) {
    return DateParts{words[1], words[2], words[3], words[4]};
  }
  if (words.size() == 5) {
    return DateParts{words[2], words[1], words[4], words[3]};
  }
  if (words.size() == 4) {
    const auto date = base::split(words[1], '-');
    return date.size() == 3 ? std::optional(DateParts{date[0], date[1], date[2], words[2]}) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
  const auto parts = base::split(text, ':');
  if (parts.size() != 3) {
    return std::nullopt;
  }
  const auto hours = base::parse_integer(parts[0]);
  const auto minutes = base::parse_integer(parts[1]);
  const auto seconds = base::parse_integer(parts[2]);
  const bool is_time = hours && minutes && seconds && *hours >= 0 && *hours < 24 && *minutes >= 0 && *minutes < 60 &&
                       *seconds >= 0 && *seconds <= 60;
  return is_time ? std::optional(std::chrono::seconds(*hours * 3600 + *minutes * 60 + *seconds)) : std::nullopt;
}

// Two digits are the year nearest to the present century's middle, as the RFC wants old dates read.
long long full_year(long long year) {
  return year >= 100 ? year : year < 70 ? year + 2000 : year + 1900;
}

bool is_idempotent(std::string_view method) {
  return method != "POST" && method != "PATCH";
}

std::string reason_of(const base::Result<Response>& answer) {
  return answer ? fmt::format("status {}", answer->status) : answer.error().message;
}

// The wait before the next attempt; nothing when there should be none.
std::optional<milliseconds> next_wait(const RetryContext& context, const Request& request, bool is_streamed,
                                      int attempt, const base::Result<Response>& answer) {
  const auto outcome = outcome_of(answer);
  if (outcome == Outcome::final || attempt >= context.policy.attempts ||
      (outcome == Outcome::transient && (context.policy.only_throttled || !is_idempotent(request.method))) ||
      (!answer && is_streamed)) {
    return std::nullopt;
  }
  const auto asked = answer ? retry_after(answer->headers, context.clock.now()) : std::nullopt;
  if (asked && *asked > context.policy.longest_wait) {
    return std::nullopt;
  }
  return std::max(asked.value_or(milliseconds(0)),
                  asked ? milliseconds(0) : backoff(context.policy, attempt, random_fraction()));
}

}  // namespace

Outcome outcome_of(const base::Result<Response>& answer) {
  if (!answer) {
    const auto& error = answer.error();
    return error.code == base::ErrorCode::unreachable && !error.is_lasting ? Outcome::transient : Outcome::final;
  }
  if (answer->status == 429 || (answer->status == 503 && answer->headers.get("Retry-After"))) {
    return Outcome::throttled;
  }
  constexpr std::array transient_statuses{408, 499, 500, 502, 503, 504, 522};
  return std::ranges::find(transient_statuses, answer->status) != transient_statuses.end() ? Outcome::transient
                                                                                           : Outcome::final;
}

std::optional<io::WallTime> parse_http_date(std::string_view text) {
  const auto parts = split_date(base::trim(text));
  if (!parts) {
    return std::nullopt;
  }
  const auto day = base::parse_integer(parts->day);
  const auto year = base::parse_integer(parts->year);
  const auto month = month_number(parts->month);
  const auto time = time_of_day(parts->time);
  if (!day || !year || !month || !time || *day < 1 || *day > 31 || *year < 0 || *year > 9999) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(full_year(*year))),
                                         std::chrono::month(*month), std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok() ? std::optional<io::WallTime>(std::chrono::sys_days(date) + *time) : std::nullopt;
}

std::optional<milliseconds> retry_after(const Headers& headers, io::WallTime now) {
  const auto value = headers.get("Retry-After");
  if (!value) {
    return std::nullopt;
  }
  if (const auto seconds = base::parse_integer(base::trim(*value))) {
    constexpr long long longest = 365LL * 24 * 3600;
    return *seconds < 0 ? std::nullopt : std::optional<milliseconds>(std::chrono::seconds(std::min(*seconds, longest)));
  }
  const auto date = parse_http_date(*value);
  return date && *date > now ? std::optional(*date - now) : std::nullopt;
}

milliseconds backoff(const RetryPolicy& policy, int attempt, double random) {
  const auto doublings = std::clamp(attempt - 1, 0, 20);
  const auto plain = std::min(static_cast<double>(policy.first_wait.count()) * std::exp2(doublings),
                              static_cast<double>(policy.longest_wait.count()));
  return milliseconds(std::llround(plain * (1 + policy.jitter * (2 * random - 1))));
}

double random_fraction() {
  thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

base::Result<Response> send_with_retries(const RetryContext& context, const Request& request,
                                         const Exchange& exchange) {
  const auto started = context.clock.steady_now();
  for (int attempt = 1;; ++attempt) {
    auto answer = context.transport.send(request, exchange);
    const auto wait = next_wait(context, request, exchange.sink.on_body != nullptr, attempt, answer);
    if (!wait || context.clock.steady_now() - started + *wait > context.policy.budget) {
      return answer;
    }
    if (context.on_retry) {
      context.on_retry(request, {.attempt = attempt, .wait = *wait, .reason = reason_of(answer)});
    }
    if (!context.clock.sleep_for(*wait, exchange.stop)) {
      return base::Error::interrupted();
    }
  }
}

RetryingTransport::RetryingTransport(Transport& next, io::Clock& clock, RetryPolicy policy, OnRetry on_retry)
    : next_(next), clock_(clock), policy_(policy), on_retry_(std::move(on_retry)) {}

base::Result<Response> RetryingTransport::send(const Request& request, const Exchange& exchange) {
  return send_with_retries({.transport = next_, .clock = clock_, .policy = policy_, .on_retry = on_retry_}, request,
                           exchange);
}

}  // namespace deployctl::http
