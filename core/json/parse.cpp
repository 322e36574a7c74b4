// A SAX builder instead of nlohmann's own document parser, for three things that one does not do: it stops at a nesting
// depth, it refuses a member given twice (two readers could take two different ones, RFC 8259 section 4), and it adds
// members to an object without searching through the earlier ones, so that time stays linear in the text.
#include "core/base/text.hpp"
#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace deployctl::json {
namespace {

// "… parse error at line 1, column 5: syntax error while parsing value - invalid literal; last read: '<'" becomes
// "invalid literal at line 1, column 5"; the only other complaint is about numbers that fit no double. What was last
// read may be a credential and is left out.
std::string in_plain_words(std::string_view what) {
  constexpr std::string_view place_mark = "parse error at ";
  const auto place_at = what.find(place_mark);
  if (place_at == std::string_view::npos) {
    return "it holds a number out of range";
  }
  const auto [place, rest] = base::split_once(what.substr(place_at + place_mark.size()), ':');
  auto reason = rest.substr(0, rest.find("; "));
  if (const auto dash = reason.find(" - "); dash != std::string_view::npos) {
    reason.remove_prefix(dash + 3);
  }
  return base::printable(fmt::format("{} at {}", base::trim(reason), place));
}

// An array or object that has not ended yet; an array has no keys.
struct Collection {
  std::vector<std::string> keys;
  Value::array_t values;
};

// A key that is there twice, or null.
const std::string* repeated(const std::vector<std::string>& keys) {
  std::vector<const std::string*> sorted;
  sorted.reserve(keys.size());
  for (const auto& key : keys) {
    sorted.push_back(&key);
  }
  const auto text_of = [](const std::string* key) -> const std::string& { return *key; };
  std::ranges::sort(sorted, {}, text_of);
  const auto twice = std::ranges::adjacent_find(sorted, {}, text_of);
  return twice == sorted.end() ? nullptr : *twice;
}

// Made at its end and in its final size: the members of an ordered object cannot be moved, so that growing one would
// copy whole subtrees.
Value to_object(Collection collection) {
  Value::object_t members;
  members.reserve(collection.keys.size());
  for (std::size_t i = 0; i < collection.keys.size(); ++i) {
    members.emplace_back(std::move(collection.keys[i]), std::move(collection.values[i]));
  }
  return Value(std::move(members));
}

class Builder {
 public:
  explicit Builder(std::size_t depth) : depth_(depth) {}

  // The interface nlohmann::json::sax_parse asks for; false ends the parse.
  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(Value::number_integer_t value) { return add(value); }
  bool number_unsigned(Value::number_unsigned_t value) { return add(value); }
  bool number_float(Value::number_float_t value, const std::string& /*text*/) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Value::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return open(); }
  bool start_array(std::size_t /*size*/) { return open(); }
  bool key(std::string& name) {
    open_.back().keys.push_back(std::move(name));
    return true;
  }
  bool end_array() { return add(Value(std::move(take_innermost().values))); }
  bool end_object() {
    auto closed = take_innermost();
    if (const auto* name = repeated(closed.keys)) {
      problem_ = fmt::format("member '{}' is given twice", base::printable(*name));
      return false;
    }
    return add(to_object(std::move(closed)));
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const Value::exception& error) {
    problem_ = in_plain_words(error.what());
    return false;
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }
  Value take() { return std::move(root_); }

 private:
  bool add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else {
      open_.back().values.push_back(std::move(value));
    }
    return true;
  }
  bool open() {
    if (open_.size() == depth_) {
      problem_ = fmt::format("it is nested deeper than {} levels", depth_);
      return false;
    }
    open_.emplace_back();
    return true;
  }
  Collection take_innermost() {
    auto innermost = std::move(open_.back());
    open_.pop_back();
    return innermost;
  }

  std::size_t depth_;
  std::vector<Collection> open_;  // around the place we are at, outermost first
  Value root_;
  std::string problem_;
};

}  // namespace

base::Result<Value> parse(std::string_view text, std::string_view what, ParseLimits limits) {
  if (text.size() > limits.bytes) {
    return base::Error::failed("{} is {} long; at most {} are read", what, base::human_bytes(text.size()),
                               base::human_bytes(limits.bytes));
  }
  Builder builder(limits.depth);
  if (!Value::sax_parse(text, &builder)) {
    return base::Error::failed("{} is not usable JSON: {}", what, builder.problem());
  }
  return builder.take();
}

}  // namespace deployctl::json
