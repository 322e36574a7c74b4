// How a value of the project manifest is read: its shape, and the function that turns a node into a typed value and
// reports what is wrong with it. Forms of mappings are put together from fields, each of which ties a key to a member.
//
// A value that is there but cannot be used is kept as "broken", so that nobody complains about its absence as well.
#pragma once

#include "core/base/diagnostic.hpp"
#include "core/base/result.hpp"
#include "core/project/shape.hpp"
#include "core/yaml/node.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deployctl::project {

// The value somebody gave under a key.
template <typename T>
struct Given {
  T value{};
  base::SourceSpan key;
  base::SourceSpan at;
  bool is_broken = false;  // reported already; `value` means nothing

  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

template <typename T>
using Optional = std::optional<Given<T>>;

// The value when it was given and can be used, or null.
template <typename T>
const T* sound(const Optional<T>& given) {
  return given && !given->is_broken ? &given->value : nullptr;
}

// One entry of a mapping whose keys the user chooses.
template <typename T>
struct Named {
  base::Located<std::string> name;
  T value{};
  base::SourceSpan at;
};

// What is being read, for messages: the value of a key, or an item of the list that is.
struct Subject {
  enum class Part { value, item };
  std::string_view key;
  base::SourceSpan span;  // of the key
  Part part = Part::value;
};

template <typename T>
struct Form {
  using value_type = T;
  ShapePtr shape;
  std::function<std::optional<T>(const yaml::Node&, const Subject&, base::Diagnostics&)> read;
};

// "'port'" or "an item of 'command'".
std::string to_string(const Subject& subject);

void report_wrong_type(const Shape& shape, const yaml::Node& node, const Subject& subject, base::Diagnostics& out);
void report_unknown_word(const Shape& shape, const yaml::Node& node, const Subject& subject, base::Diagnostics& out);
// Known keys, and the entries that most likely were to be them.
using MeantKeys = std::map<std::string, const yaml::Entry*>;
// Reports every entry, and gives what they were meant to be, so that nobody misses those keys as well.
MeantKeys report_unknown_keys(const Shape& mapping, const std::vector<const yaml::Entry*>& unknown,
                              base::Diagnostics& out);
void report_missing_keys(const Shape& mapping, const yaml::Node& node, const MeantKeys& meant, const Subject& subject,
                         base::Diagnostics& out);
// The text of a scalar that fits the shape; nothing after a report.
const std::string* read_text(const Shape& shape, const yaml::Node& node, const Subject& subject,
                             base::Diagnostics& out);
std::optional<long long> read_number(const Shape& shape, const yaml::Node& node, const Subject& subject,
                                     base::Diagnostics& out);

// A whole number from `least` to `most`.
Form<int> number(int least, int most);
// true or false.
Form<bool> boolean();

// Text that `parse` takes; its error is what the user is told.
template <typename T>
Form<T> text(TextRule rule, std::function<base::Result<T>(const std::string&)> parse) {
  auto shape = std::make_shared<Shape>(Shape{.kind = Shape::Kind::text, .name = std::string(rule.name), .text = rule});
  return {shape,
          [shape, parse = std::move(parse)](const yaml::Node& node, const Subject& subject,
                                            base::Diagnostics& out) -> std::optional<T> {
            const auto* written = read_text(*shape, node, subject, out);
            if (written == nullptr) {
              return std::nullopt;
            }
            auto value = parse(*written);
            if (!value) {
              out.error(node.span, value.error().message, value.error().hint);
              return std::nullopt;
            }
            return std::move(*value);
          }};
}

// One of a few words.
template <typename T>
Form<T> word(std::string_view name, std::vector<std::pair<std::string_view, T>> words, std::vector<Later> later = {}) {
  auto shape =
      std::make_shared<Shape>(Shape{.kind = Shape::Kind::word, .name = std::string(name), .later = std::move(later)});
  for (const auto& [written, value] : words) {
    shape->words.push_back(written);
  }
  return {shape,
          [shape, words = std::move(words)](const yaml::Node& node, const Subject& subject,
                                            base::Diagnostics& out) -> std::optional<T> {
            const auto* text = read_text(*shape, node, subject, out);
            if (text == nullptr) {
              return std::nullopt;
            }
            for (const auto& [written, value] : words) {
              if (written == *text) {
                return value;
              }
            }
            report_unknown_word(*shape, node, subject, out);
            return std::nullopt;
          }};
}

enum class Empty { allowed, refused };

// Items that cannot be read are left out.
template <typename T>
Form<std::vector<base::Located<T>>> list_of(Form<T> item, Empty empty = Empty::allowed) {
  auto shape = std::make_shared<Shape>(
      Shape{.kind = Shape::Kind::list, .element = item.shape, .may_be_empty = empty == Empty::allowed});
  using Items = std::vector<base::Located<T>>;
  return {shape,
          [shape, item = std::move(item)](const yaml::Node& node, const Subject& subject,
                                          base::Diagnostics& out) -> std::optional<Items> {
            if (node.kind != yaml::NodeKind::sequence) {
              report_wrong_type(*shape, node, subject, out);
              return std::nullopt;
            }
            if (node.items.empty() && !shape->may_be_empty) {
              out.error(node.span, to_string(subject) + " must not be empty");
              return std::nullopt;
            }
            Items items;
            for (const auto& each : node.items) {
              if (auto value = item.read(each, {subject.key, subject.span, Subject::Part::item}, out)) {
                items.push_back({std::move(*value), each.span});
              }
            }
            return items;
          }};
}

// Values under keys the user chooses, in the order of the file. Entries whose key or value cannot be used are left out.
template <typename T>
Form<std::vector<Named<T>>> map_of(Form<std::string> key, Form<T> element, Empty empty = Empty::allowed) {
  auto shape = std::make_shared<Shape>(Shape{
      .kind = Shape::Kind::map, .element = element.shape, .key = key.shape, .may_be_empty = empty == Empty::allowed});
  using Entries = std::vector<Named<T>>;
  return {shape,
          [shape, key = std::move(key), element = std::move(element)](
              const yaml::Node& node, const Subject& subject, base::Diagnostics& out) -> std::optional<Entries> {
            if (node.kind != yaml::NodeKind::mapping) {
              report_wrong_type(*shape, node, subject, out);
              return std::nullopt;
            }
            if (node.entries.empty() && !shape->may_be_empty) {
              out.error(node.span, to_string(subject) + " must not be empty");
              return std::nullopt;
            }
            Entries entries;
            entries.reserve(node.entries.size());
            for (const auto& entry : node.entries) {
              yaml::Node name{.kind = yaml::NodeKind::scalar,
                              .span = entry.key.span,
                              .scalar = entry.key.value,
                              .is_quoted = true,
                              .items = {},
                              .entries = {}};
              auto read_key = key.read(name, {subject.key, entry.key.span}, out);
              auto value = element.read(entry.value, {entry.key.value, entry.key.span}, out);
              if (read_key && value) {
                entries.push_back({{std::move(*read_key), entry.key.span}, std::move(*value), entry.value.span});
              }
            }
            return entries;
          }};
}

// A scalar that stands for the whole, or the whole as a mapping.
template <typename Short, typename Whole>
Form<Whole> short_or_whole(Form<Short> brief, std::function<Whole(Short, const yaml::Node&)> widen, Form<Whole> whole) {
  auto shape = std::make_shared<Shape>(Shape{.kind = Shape::Kind::either, .alternatives = {brief.shape, whole.shape}});
  return {shape,
          [shape, brief = std::move(brief), widen = std::move(widen), whole = std::move(whole)](
              const yaml::Node& node, const Subject& subject, base::Diagnostics& out) -> std::optional<Whole> {
            if (node.kind == yaml::NodeKind::mapping) {
              return whole.read(node, subject, out);
            }
            if (node.kind != yaml::NodeKind::scalar || yaml::is_null(node)) {
              report_wrong_type(*shape, node, subject, out);
              return std::nullopt;
            }
            auto value = brief.read(node, subject, out);
            return value ? std::optional<Whole>(widen(std::move(*value), node)) : std::nullopt;
          }};
}

// The same form with its value behind a pointer that several owners may share.
template <typename T>
Form<std::shared_ptr<const T>> shared(Form<T> form) {
  using Shared = std::shared_ptr<const T>;
  return {form.shape,
          [form](const yaml::Node& node, const Subject& subject, base::Diagnostics& out) -> std::optional<Shared> {
            auto value = form.read(node, subject, out);
            return value ? std::optional<Shared>(std::make_shared<const T>(std::move(*value))) : std::nullopt;
          }};
}

template <typename Owner>
struct Field {
  [[nodiscard]] std::string_view key() const { return shape.key; }

  FieldShape shape;
  std::function<void(const yaml::Entry&, Owner&, base::Diagnostics&)> read;
  std::function<void(const yaml::Entry&, Owner&)> mark_broken;
};

// A key and the member it fills.
template <typename Owner, typename T>
Field<Owner> field(std::string_view key, Optional<T> Owner::*member, Form<T> form, FieldText text) {
  return {{key, text, form.shape},
          [member, form = std::move(form)](const yaml::Entry& entry, Owner& owner, base::Diagnostics& out) {
            auto value = form.read(entry.value, {entry.key.value, entry.key.span}, out);
            const bool is_broken = !value.has_value();
            owner.*member = Given<T>{value ? std::move(*value) : T{}, entry.key.span, entry.value.span, is_broken};
          },
          [member](const yaml::Entry& entry, Owner& owner) {
            owner.*member = Given<T>{T{}, entry.key.span, entry.value.span, true};
          }};
}

// A mapping with known keys; nothing at all stands for an empty one.
template <typename Owner>
Form<Owner> mapping(std::string_view name, std::string_view doc, std::vector<Field<Owner>> fields,
                    std::vector<Later> later = {}) {
  auto shape = std::make_shared<Shape>(
      Shape{.kind = Shape::Kind::mapping, .name = std::string(name), .doc = doc, .later = std::move(later)});
  for (const auto& each : fields) {
    shape->fields.push_back(each.shape);
  }
  return {shape,
          [shape, fields = std::move(fields)](const yaml::Node& node, const Subject& subject,
                                              base::Diagnostics& out) -> std::optional<Owner> {
            if (node.kind != yaml::NodeKind::mapping && !yaml::is_null(node)) {
              report_wrong_type(*shape, node, subject, out);
              return std::nullopt;
            }
            Owner owner;
            std::vector<const yaml::Entry*> unknown;
            for (const auto& entry : node.entries) {
              const auto known = std::ranges::find(fields, entry.key.value, &Field<Owner>::key);
              if (known == fields.end()) {
                unknown.push_back(&entry);
              } else {
                known->read(entry, owner, out);
              }
            }
            const auto meant = report_unknown_keys(*shape, unknown, out);
            for (const auto& [key, entry] : meant) {
              if (node.find(key) == nullptr) {
                std::ranges::find(fields, key, &Field<Owner>::key)->mark_broken(*entry, owner);
              }
            }
            report_missing_keys(*shape, node, meant, subject, out);
            return owner;
          }};
}

}  // namespace deployctl::project
