// Values of options that are more than text. What is none is a usage error that says what would be one.
#pragma once

#include "core/base/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace deployctl::cli {

// For ->check(): one of these words.
inline CLI::Validator one_of(const std::vector<std::string>& words) {
  const auto problem = [words](const std::string& text) {
    const bool is_one = std::ranges::find(words, text) != words.end();
    return is_one ? std::string() : fmt::format("'{}' is none of {}", base::printable(text), fmt::join(words, ", "));
  };
  return {problem, ""};
}

inline constexpr long long most_of_an_option = 1'000'000'000;

template <typename T>
using Choices = std::vector<std::pair<std::string, T>>;  // in the order in which they are told

// An option with one of a few words. `target` is a T or an optional one, and stays as it is when the option is not
// given.
template <typename T, typename Target>
CLI::Option* add_choice(CLI::App& parser, const std::string& name, Target& target, const Choices<T>& choices,
                        const std::string& help) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) {
    words.push_back(word);
  }
  const auto take = [&target, choices](const std::string& text) {
    target = std::ranges::find(choices, text, &std::pair<std::string, T>::first)->second;
  };
  return parser.add_option_function<std::string>(name, take, help)
      ->type_name(fmt::format("{}", fmt::join(words, "|")))
      ->check(one_of(words));
}

// An option with a whole number that is at least `least`.
template <typename Target>
CLI::Option* add_number(CLI::App& parser, const std::string& name, Target& target, long long least,
                        const std::string& help) {
  const auto take = [&target, name, least](const std::string& text) {
    const auto number = base::parse_integer(text);
    if (!number || *number < least || *number > most_of_an_option) {
      throw CLI::ValidationError(
          name, fmt::format("'{}' is no whole number from {} to {}", base::printable(text), least, most_of_an_option));
    }
    target = static_cast<int>(*number);
  };
  return parser.add_option_function<std::string>(name, take, help)->type_name("N");
}

}  // namespace deployctl::cli
