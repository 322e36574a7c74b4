#include "core/project/reference_page.hpp"

#include "core/base/text.hpp"
#include "core/project/table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <vector>

namespace deployctl::project {
namespace {

constexpr std::string_view introduction = R"(# The project manifest

`deployctl.yaml` says what a project is made of and how it runs. `deployctl init` writes a first one, `deployctl validate`
checks it, and `deployctl schema` prints its JSON Schema for editors. The short form is often enough:

```yaml
project: miniapp
registry: registry.example.com/team
services:
  api:
    port: 8080
    health: /health
```

Unknown keys are errors. This page is made from the table that the program reads the file with
(`core/project/table.cpp`); a test fails when they differ.
)";

// A mapping with known keys and where it stands.
struct Section {
  std::string place;
  const Shape* shape = nullptr;
};

std::string escaped(std::string_view text) {
  return base::replace_all(std::string(text), "|", "\\|");
}

std::string code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", escaped(text));
}

std::string anchor(const Shape& mapping) {
  return base::replace_all(mapping.name, " ", "-");
}

std::string joined_words(const Shape& shape) {
  std::string words;
  for (const auto word : shape.words) {
    words += (words.empty() ? "" : ", ") + code(word);
  }
  return words;
}

// What a value looks like, with links to the sections of mappings.
std::string value_words(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::text:
      return shape.name;
    case Shape::Kind::word:
      return joined_words(shape);
    case Shape::Kind::number:
      return fmt::format("number, {} to {}", shape.least, shape.most);
    case Shape::Kind::boolean:
      return "`true` or `false`";
    case Shape::Kind::list:
      return fmt::format("list: {}", value_words(*shape.element));
    case Shape::Kind::map:
      return fmt::format("mapping: {} to {}", value_words(*shape.key), value_words(*shape.element));
    case Shape::Kind::mapping:
      return shape.fields.empty() ? "`{}`" : fmt::format("[{}](#{})", shape.name, anchor(shape));
    case Shape::Kind::either:
      break;
  }
  std::string words;
  for (const auto& alternative : shape.alternatives) {
    words += (words.empty() ? "" : ", or ") + value_words(*alternative);
  }
  return words;
}

// Every mapping below the shape once, in the order a reader comes across it.
class Sections {
 public:
  explicit Sections(const Shape& project) {
    visit(project, "");
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const auto section = all_[i];
      for (const auto& field : section.shape->fields) {
        visit(*field.shape,
              section.place.empty() ? std::string(field.key) : fmt::format("{}.{}", section.place, field.key));
      }
    }
  }

  [[nodiscard]] const std::vector<Section>& all() const { return all_; }
  [[nodiscard]] const std::map<std::string, TextRule>& rules() const { return rules_; }

 private:
  void visit(const Shape& shape, const std::string& place) {
    switch (shape.kind) {
      case Shape::Kind::text:
        rules_.emplace(shape.name, shape.text);
        return;
      case Shape::Kind::list:
        return visit(*shape.element, place);
      case Shape::Kind::map:
        visit(*shape.key, place);
        return visit(*shape.element, place + ".<name>");
      case Shape::Kind::either:
        for (const auto& alternative : shape.alternatives) {
          visit(*alternative, place);
        }
        return;
      case Shape::Kind::mapping:
        return add(shape, place);
      case Shape::Kind::word:
      case Shape::Kind::number:
      case Shape::Kind::boolean:
        return;
    }
  }

  void add(const Shape& shape, const std::string& place) {
    const auto is_same = [&](const Section& section) { return section.shape->name == shape.name; };
    if (!shape.fields.empty() && std::ranges::none_of(all_, is_same)) {
      all_.push_back({place, &shape});
    }
  }

  std::vector<Section> all_;
  std::map<std::string, TextRule> rules_;
};

std::string row(const FieldShape& field) {
  const auto fallback = field.text.need == Need::required ? "**required**" : escaped(field.text.fallback);
  return fmt::format("| `{}` | {} | {} | {} | {} |\n", field.key, value_words(*field.shape), escaped(field.text.doc),
                     fallback, code(field.text.example));
}

std::string to_markdown(const Section& section) {
  auto text = fmt::format("\n## {}\n\n", section.shape->name);
  if (!section.place.empty()) {
    text += fmt::format("`{}`: ", section.place);
  }
  text +=
      fmt::format("{}\n\n| key | value | meaning | default | example |\n|---|---|---|---|---|\n", section.shape->doc);
  for (const auto& field : section.shape->fields) {
    text += row(field);
  }
  return text;
}

std::string values_section(const std::map<std::string, TextRule>& rules) {
  std::string text = "\n## Values\n\n| value | what it looks like |\n|---|---|\n";
  for (const auto& [name, rule] : rules) {
    if (!rule.doc.empty()) {
      text += fmt::format("| {} | {} |\n", name, escaped(rule.doc));
    }
  }
  return text;
}

}  // namespace

std::string reference_page() {
  const Sections sections(*project_form().shape);
  std::string page(introduction);
  for (const auto& section : sections.all()) {
    page += to_markdown(section);
  }
  return page + values_section(sections.rules());
}

}  // namespace deployctl::project
