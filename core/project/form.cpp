#include "core/project/form.hpp"

#include "core/base/text.hpp"

#include <fmt/core.h>

namespace deployctl::project {
namespace {

std::vector<std::string> known_keys(const Shape& mapping) {
  std::vector<std::string> keys;
  for (const auto& field : mapping.fields) {
    keys.emplace_back(field.key);
  }
  return keys;
}

// The nearest word, or all of them when none is near.
std::string suggestion(std::string_view written, std::span<const std::string> candidates,
                       std::string_view introduction) {
  if (candidates.empty()) {
    return {};
  }
  const auto nearest = base::did_you_mean(written, candidates);
  return nearest.empty() ? fmt::format("{}: {}", introduction, base::join(candidates, ", ")) : nearest;
}

const Later* find_later(const Shape& shape, std::string_view written) {
  const auto found =
      std::find_if(shape.later.begin(), shape.later.end(), [&](const Later& later) { return later.word == written; });
  return found == shape.later.end() ? nullptr : &*found;
}

// Plain text that YAML takes for a number or a truth value.
bool looks_like_other_type(const yaml::Node& node) {
  return !node.is_quoted && (yaml::as_integer(node) || yaml::as_boolean(node) || yaml::describe(node) == "a number");
}

// How to write what is there so that it has the type that is wanted.
std::string type_hint(const Shape& wanted, const yaml::Node& node) {
  if (node.kind != yaml::NodeKind::scalar) {
    return {};
  }
  if (wanted.kind == Shape::Kind::number && node.is_quoted && base::parse_integer(node.scalar)) {
    return "write it without quotes";
  }
  if (wanted.kind == Shape::Kind::text) {
    return fmt::format("put it in quotes: \"{}\"", base::printable(node.scalar));
  }
  if (wanted.kind == Shape::Kind::list && !node.scalar.empty()) {
    return fmt::format("write it as a list: [{}]", base::replace_all(base::printable(node.scalar), " ", ", "));
  }
  return {};
}

// "the project manifest", "'scale'", "volume 'data'": a mapping for messages.
std::string owner_of(const Shape& mapping, const Subject& subject) {
  if (subject.key.empty()) {
    return "the project manifest";
  }
  return subject.key == mapping.name ? to_string(subject) : fmt::format("{} {}", mapping.name, to_string(subject));
}

}  // namespace

std::string to_string(const Subject& subject) {
  const auto key = fmt::format("'{}'", base::printable(subject.key));
  return subject.part == Subject::Part::item ? "an item of " + key : key;
}

void report_wrong_type(const Shape& shape, const yaml::Node& node, const Subject& subject, base::Diagnostics& out) {
  const auto wanted = expectation(shape);
  if (!yaml::is_null(node)) {
    out.error(node.span, fmt::format("{} must be {}, not {}", to_string(subject), wanted, yaml::describe(node)),
              type_hint(shape, node));
    return;
  }
  const bool takes_any_text =
      shape.kind == Shape::Kind::text && shape.text.pattern.empty() && shape.text.accepts_numbers;
  out.error(subject.part == Subject::Part::item ? node.span : subject.span,
            fmt::format("{} has no value", to_string(subject)),
            takes_any_text ? "write \"\" for an empty text" : fmt::format("it must be {}", wanted));
}

MeantKeys report_unknown_keys(const Shape& mapping, const std::vector<const yaml::Entry*>& unknown,
                              base::Diagnostics& out) {
  MeantKeys meant;
  if (unknown.empty()) {
    return meant;
  }
  const auto known = known_keys(mapping);
  for (const auto* entry : unknown) {
    const auto& key = entry->key;
    if (const auto* later = find_later(mapping, *key)) {
      out.error(key.span, std::string(later->message));
      continue;
    }
    out.error(key.span, fmt::format("unknown key '{}'", base::printable(*key)), suggestion(*key, known, "known here"));
    if (const auto nearest = base::nearest(*key, known)) {
      meant.emplace(*nearest, entry);
    }
  }
  return meant;
}

void report_unknown_word(const Shape& shape, const yaml::Node& node, const Subject& subject, base::Diagnostics& out) {
  if (const auto* later = find_later(shape, node.scalar)) {
    out.error(node.span, std::string(later->message));
    return;
  }
  const std::vector<std::string> words(shape.words.begin(), shape.words.end());
  out.error(node.span, fmt::format("{} cannot be '{}'", to_string(subject), base::printable(node.scalar)),
            suggestion(node.scalar, words, "use one of"));
}

void report_missing_keys(const Shape& mapping, const yaml::Node& node, const MeantKeys& meant, const Subject& subject,
                         base::Diagnostics& out) {
  for (const auto& field : mapping.fields) {
    const bool is_there = node.find(field.key) != nullptr || meant.contains(std::string(field.key));
    if (field.text.need == Need::required && !is_there) {
      out.error(subject.span, fmt::format("{} needs '{}'", owner_of(mapping, subject), field.key),
                fmt::format("for example '{}: {}'", field.key, field.text.example));
    }
  }
}

const std::string* read_text(const Shape& shape, const yaml::Node& node, const Subject& subject,
                             base::Diagnostics& out) {
  const bool is_text = node.kind == yaml::NodeKind::scalar && (node.is_quoted || !yaml::is_null(node)) &&
                       (shape.text.accepts_numbers || !looks_like_other_type(node));
  if (!is_text) {
    report_wrong_type(shape, node, subject, out);
    return nullptr;
  }
  if (shape.text.longest > 0 && node.scalar.size() > shape.text.longest) {
    out.error(node.span, fmt::format("{} is {} bytes long, {} are allowed", to_string(subject), node.scalar.size(),
                                     shape.text.longest));
    return nullptr;
  }
  return &node.scalar;
}

std::optional<long long> read_number(const Shape& shape, const yaml::Node& node, const Subject& subject,
                                     base::Diagnostics& out) {
  const auto value = node.is_quoted ? std::nullopt : yaml::as_integer(node);
  if (node.kind != yaml::NodeKind::scalar || !value) {
    if (!node.is_quoted && yaml::describe(node) == "a number") {
      out.error(node.span, fmt::format("{} must be a whole number, not {}", to_string(subject), node.scalar));
    } else {
      report_wrong_type(shape, node, subject, out);
    }
    return std::nullopt;
  }
  if (*value < shape.least || *value > shape.most) {
    out.error(node.span,
              fmt::format("{} must be between {} and {}, not {}", to_string(subject), shape.least, shape.most, *value));
    return std::nullopt;
  }
  return value;
}

Form<int> number(int least, int most) {
  auto shape = std::make_shared<Shape>(Shape{.kind = Shape::Kind::number, .least = least, .most = most});
  return {shape, [shape](const yaml::Node& node, const Subject& subject, base::Diagnostics& out) -> std::optional<int> {
            const auto value = read_number(*shape, node, subject, out);
            return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
          }};
}

Form<bool> boolean() {
  auto shape = std::make_shared<Shape>(Shape{.kind = Shape::Kind::boolean});
  return {shape,
          [shape](const yaml::Node& node, const Subject& subject, base::Diagnostics& out) -> std::optional<bool> {
            const auto value = node.is_quoted ? std::nullopt : yaml::as_boolean(node);
            if (!value) {
              report_wrong_type(*shape, node, subject, out);
            }
            return value;
          }};
}

}  // namespace deployctl::project
