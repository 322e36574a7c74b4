// Every mapping becomes a definition. In an environment any key may be absent, because it stands above, or null,
// because it is removed: definitions that can stand there come a second time, as overlays.
#include "core/project/schema.hpp"

#include "core/base/text.hpp"
#include "core/project/table.hpp"
#include "core/yaml/convert.hpp"
#include "core/yaml/parse.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace deployctl::project {
namespace {

using json::Value;

enum class Layer { base, overlay };

Value example_value(std::string_view text) {
  base::Diagnostics ignored;
  return yaml::to_json(yaml::parse(std::make_shared<const base::SourceFile>("example", std::string(text)), ignored));
}

std::string description(const FieldText& text) {
  return text.fallback.empty() ? std::string(text.doc) : fmt::format("{} (default: {})", text.doc, text.fallback);
}

Value text_schema(const Shape& shape) {
  Value schema;
  if (!shape.text.accepts_numbers) {
    schema["type"] = "string";
  } else if (shape.text.pattern.empty()) {
    schema["type"] = {"string", "number", "boolean"};
  } else {
    schema["type"] = {"string", "number"};
  }
  if (!shape.text.doc.empty()) {
    schema["description"] = std::string(shape.text.doc);
  }
  if (!shape.text.pattern.empty()) {
    schema["pattern"] = std::string(shape.text.pattern);
  }
  return schema;
}

class Writer {
 public:
  Value whole(const Shape& project) {
    Value schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "deployctl project manifest"}};
    schema.update(mapping(project, Layer::base));
    schema["type"] = "object";
    schema["$defs"] = std::move(definitions_);
    return schema;
  }

 private:
  Value of(const Shape& shape, Layer layer) {
    switch (shape.kind) {
      case Shape::Kind::text:
        return text_schema(shape);
      case Shape::Kind::word:
        return {{"type", "string"}, {"enum", std::vector<std::string>(shape.words.begin(), shape.words.end())}};
      case Shape::Kind::number:
        return {{"type", "integer"}, {"minimum", shape.least}, {"maximum", shape.most}};
      case Shape::Kind::boolean:
        return {{"type", "boolean"}};
      case Shape::Kind::list:
        return list(shape);
      case Shape::Kind::map:
        return map(shape, layer);
      case Shape::Kind::mapping:
        return reference(shape, layer);
      case Shape::Kind::either:
        break;
    }
    return alternatives(shape, layer);
  }

  // A list takes the place of what is below it as a whole, so its items are never overlays.
  Value list(const Shape& shape) {
    Value schema{{"type", "array"}, {"items", of(*shape.element, Layer::base)}};
    if (!shape.may_be_empty) {
      schema["minItems"] = 1;
    }
    return schema;
  }

  Value map(const Shape& shape, Layer layer) {
    Value schema{{"type", "object"}, {"additionalProperties", value_of(*shape.element, layer)}};
    if (!shape.key->text.pattern.empty()) {
      schema["propertyNames"] = {{"pattern", std::string(shape.key->text.pattern)}};
    }
    if (!shape.may_be_empty && layer == Layer::base) {
      schema["minProperties"] = 1;
    }
    return schema;
  }

  Value alternatives(const Shape& shape, Layer layer) {
    auto any = Value::array();
    for (const auto& alternative : shape.alternatives) {
      any.push_back(of(*alternative, layer));
    }
    return {{"anyOf", std::move(any)}};
  }

  // A value of an overlay may be null as well.
  Value value_of(const Shape& shape, Layer layer) {
    auto schema = of(shape, layer);
    return layer == Layer::base ? schema : Value{{"anyOf", {std::move(schema), {{"type", "null"}}}}};
  }

  Value reference(const Shape& shape, Layer layer) {
    const auto name = base::replace_all(shape.name, " ", "-") + (layer == Layer::overlay ? "-overlay" : "");
    if (!definitions_.contains(name)) {
      definitions_[name] = true;  // taken, while its own fields are described
      auto definition = mapping(shape, layer);
      definitions_[name] = std::move(definition);
    }
    return {{"$ref", "#/$defs/" + name}};
  }

  Value mapping(const Shape& shape, Layer layer) {
    Value schema{{"description", std::string(shape.doc)}, {"type", {"object", "null"}}};
    auto properties = Value::object();
    auto required = Value::array();
    for (const auto& field : shape.fields) {
      properties[std::string(field.key)] = property(shape, field, layer);
      if (field.text.need == Need::required && layer == Layer::base) {
        required.push_back(std::string(field.key));
      }
    }
    schema["properties"] = std::move(properties);
    if (!required.empty()) {
      schema["required"] = std::move(required);
    }
    schema["additionalProperties"] = false;
    return schema;
  }

  Value property(const Shape& owner, const FieldShape& field, Layer layer) {
    const auto inside = &owner == environment_form().shape.get() ? Layer::overlay : layer;
    auto schema = value_of(*field.shape, inside);
    schema["description"] = description(field.text);
    if (!field.text.example.empty()) {
      schema["examples"] = Value::array({example_value(field.text.example)});
    }
    return schema;
  }

  Value definitions_ = Value::object();
};

}  // namespace

Value schema() {
  return Writer().whole(*project_form().shape);
}

}  // namespace deployctl::project
