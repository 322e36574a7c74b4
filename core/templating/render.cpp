// mustache itself takes an unknown name for an empty text. Here the names are looked up through a context of our own
// that remembers what it could not find, and the result is thrown away when there is any.
#include "core/templating/render.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"

#include <kainjow/mustache.hpp>

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
  try {
    mustache::mustache parsed{std::string(text)};
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
    return rendered;
  } catch (const std::exception& error) {
    return base::Error::invalid_input("template {}: {}", name, error.what());
  }
}

}  // namespace deployctl::templating
