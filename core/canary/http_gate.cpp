#include "core/base/text.hpp"
#include "core/canary/measurement.hpp"
#include "core/json/value.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace deployctl::canary {
namespace {

constexpr std::size_t longest_quote = 80;

std::string in_quotes(std::string_view text) {
  const bool is_long = text.size() > longest_quote;
  const auto shown = text.substr(0, base::utf8_boundary(text, std::min(text.size(), longest_quote)));
  return fmt::format("'{}{}'", base::printable(shown), is_long ? "…" : "");
}

// The value as a person would write it: text without quotes.
std::string as_text(const json::Value& value) {
  return value.is_string() ? value.get<std::string>() : json::to_compact_text(value);
}

// What stands at an RFC 6901 pointer, or null.
const json::Value* value_at(const json::Value& document, std::string_view pointer) {
  const auto* value = &document;
  for (const auto part : base::split(pointer.substr(1), '/')) {
    const auto name = base::replace_all(base::replace_all(std::string(part), "~1", "/"), "~0", "~");
    if (value->is_object()) {
      const auto member = value->find(name);
      value = member == value->end() ? nullptr : &*member;
    } else if (value->is_array()) {
      const auto index = base::parse_integer(name);
      const bool is_inside = index && *index >= 0 && static_cast<std::size_t>(*index) < value->size();
      value = is_inside ? &(*value)[static_cast<std::size_t>(*index)] : nullptr;
    } else {
      value = nullptr;
    }
    if (value == nullptr) {
      return nullptr;
    }
  }
  return value;
}

std::string why_not_json(const project::HttpGate& gate, const std::string& body) {
  if (gate.json.empty()) {
    return {};
  }
  const auto document = json::parse(body, "the answer");
  if (!document) {
    return "the answer is no JSON";
  }
  for (const auto& [pointer, wanted] : gate.json) {
    const auto* value = value_at(*document, pointer);
    if (value == nullptr) {
      return fmt::format("the answer has nothing at {}", pointer);
    }
    if (as_text(*value) != wanted) {
      return fmt::format("{} is {}, not {}", pointer, in_quotes(as_text(*value)), in_quotes(wanted));
    }
  }
  return {};
}

}  // namespace

std::string why_not(const project::HttpGate& gate, const ProbeAnswer& answer) {
  if (!answer.problem.empty()) {
    return answer.problem;
  }
  if (answer.status != gate.status) {
    return fmt::format("status {}, not {}", answer.status, gate.status);
  }
  if (gate.within && answer.elapsed > *gate.within) {
    return fmt::format("answered after {}, later than {}", base::to_string(answer.elapsed),
                       base::to_string(*gate.within));
  }
  return why_not_json(gate, answer.body);
}

Measurement judge(const project::HttpGate& gate, std::span<const ProbeAnswer> answers) {
  int passed = 0;
  std::string reason;
  bool is_ours = false;
  for (const auto& answer : answers) {
    const auto why = why_not(gate, answer);
    passed += why.empty() ? 1 : 0;
    reason = why.empty() ? reason : why;
    is_ours = is_ours || (!why.empty() && answer.is_ours);
  }
  const auto tally = fmt::format("{} of {} probes passed", passed, answers.size());
  if (passed >= gate.passes) {
    return {.verdict = Verdict::pass, .message = tally, .counters = std::nullopt};
  }
  const auto message =
      reason.empty() ? fmt::format("{}, {} are needed", tally, gate.passes) : fmt::format("{}: {}", tally, reason);
  return {.verdict = is_ours ? Verdict::inconclusive : Verdict::fail, .message = message, .counters = std::nullopt};
}

}  // namespace deployctl::canary
