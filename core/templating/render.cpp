// mustache itself takes an unknown name for an empty text. Here the names are looked up through a context of our own
// that remembers what it could not find, and the result is thrown away when there is any.
//
// Lines that hold a section's tag and nothing else disappear (mustache(5), "standalone lines"). The library forgets
// that for sections that are left out, and drops blank lines of the text besides, so it gets to see no lines at all:
// tags that stand alone lose their line feed, and all other line feeds travel as a byte that no value may hold.
#include "core/templating/render.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"

#include <kainjow/mustache.hpp>

#include <algorithm>
#include <exception>
#include <set>

namespace deployctl::templating {
namespace {

namespace mustache = kainjow::mustache;

class StrictContext : public mustache::context<std::string> {
 public:
  using mustache::context<std::string>::context;

  const mustache::data* get(const std::string& name) const override {
    return remember_missing(name, mustache::context<std::string>::get(name));
  }
  const mustache::data* get_partial(const std::string& name) const override {
    return remember_missing(name, nullptr);  // templates are whole files: there are no partials
  }
  [[nodiscard]] const std::set<std::string>& missing() const { return missing_; }

 private:
  const mustache::data* remember_missing(const std::string& name, const mustache::data* found) const {
    if (found == nullptr) {
      missing_.insert(name);
    }
    return found;
  }

  mutable std::set<std::string> missing_;
};

constexpr char line_feed_mark = '\x01';

struct Delimiters {
  std::string begin = "{{";
  std::string end = "}}";
};

// "{{=<% %>=}}" in a line changes the delimiters from there on.
void follow_change(std::string_view line, Delimiters& delimiters) {
  const auto begin = line.find(delimiters.begin + "=");
  const auto end = begin == std::string_view::npos ? begin : line.find("=" + delimiters.end, begin + 1);
  if (end == std::string_view::npos) {
    return;
  }
  const auto start = begin + delimiters.begin.size() + 1;
  const auto [first, second] = base::split_once(base::trim(line.substr(start, end - start)), ' ');
  delimiters = {std::string(first), std::string(base::trim(second))};
}

bool is_standalone_tag(std::string_view line, const Delimiters& delimiters) {
  const auto text = base::trim(line);
  if (!text.starts_with(delimiters.begin) || text.find(delimiters.end) != text.size() - delimiters.end.size()) {
    return false;
  }
  const auto kind = text.substr(delimiters.begin.size(), 1);
  return kind == "#" || kind == "^" || kind == "/" || kind == "!";
}

std::string on_one_line(std::string_view text) {
  std::string joined;
  Delimiters delimiters;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    const bool has_line_feed = end < text.size();
    text.remove_prefix(has_line_feed ? end + 1 : end);
    if (is_standalone_tag(line, delimiters)) {
      joined += base::trim(line);
      continue;
    }
    follow_change(line, delimiters);
    joined += line;
    if (has_line_feed) {
      joined += line_feed_mark;
    }
  }
  return joined;
}

bool holds_mark(const Values& values) {
  return std::ranges::any_of(values, [](const auto& named) {
    const auto& alternatives = static_cast<const Value::variant&>(named.second);
    if (const auto* text = std::get_if<std::string>(&alternatives)) {
      return text->find(line_feed_mark) != std::string::npos;
    }
    const auto* items = std::get_if<std::vector<Values>>(&alternatives);
    return items != nullptr && std::ranges::any_of(*items, holds_mark);
  });
}

mustache::data to_data(const Values& values) {
  mustache::data data;
  for (const auto& [name, value] : values) {
    const auto& alternatives = static_cast<const Value::variant&>(value);
    data.set(name, std::visit(base::Overloaded{
                                  [](const std::string& text) { return mustache::data(text); },
                                  [](bool condition) {
                                    return mustache::data(condition ? mustache::data::type::bool_true
                                                                    : mustache::data::type::bool_false);
                                  },
                                  [](const std::vector<Values>& items) {
                                    mustache::data list(mustache::data::type::list);
                                    for (const auto& item : items) {
                                      list.push_back(to_data(item));
                                    }
                                    return list;
                                  },
                              },
                              alternatives));
  }
  return data;
}

}  // namespace

base::Result<std::string> render(std::string_view name, std::string_view text, const Values& values) {
  if (holds_mark(values)) {
    return base::Error::invalid_input("template {} is given a control character", name);
  }
  try {
    mustache::mustache parsed{on_one_line(text)};
    if (!parsed.is_valid()) {
      return base::Error::invalid_input("template {}: {}", name, base::to_lower(parsed.error_message()));
    }
    parsed.set_custom_escape([](const std::string& value) { return value; });
    const auto data = to_data(values);
    StrictContext context(&data);
    auto rendered = parsed.render(context);
    if (!context.missing().empty()) {
      const std::vector<std::string> missing(context.missing().begin(), context.missing().end());
      return base::Error::invalid_input("template {} asks for '{}', which it is not given", name,
                                        base::join(missing, "', '"));
    }
    std::ranges::replace(rendered, line_feed_mark, '\n');
    return rendered;
  } catch (const std::exception& error) {
    return base::Error::invalid_input("template {}: {}", name, error.what());
  }
}

}  // namespace deployctl::templating
