// Arrays are compared element by element, but lists of named things, as Kubernetes has them for containers, ports and
// environment variables, are matched by name: a container added in front is one difference, not a change of all.
#include "core/json/path.hpp"
#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace deployctl::json {
namespace {

const Value* member(const Value& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// The `name` of every element, when each has one and no two are the same.
std::optional<std::vector<std::string>> names_of(const Value& array) {
  std::vector<std::string> names;
  for (const auto& element : array) {
    const auto* name = element.is_object() ? member(element, "name") : nullptr;
    if (name == nullptr || !name->is_string() || std::ranges::find(names, name->get<std::string>()) != names.end()) {
      return std::nullopt;
    }
    names.push_back(name->get<std::string>());
  }
  return names;
}

std::vector<std::string> common_in_order(const std::vector<std::string>& names,
                                         const std::vector<std::string>& others) {
  std::vector<std::string> common;
  std::ranges::copy_if(names, std::back_inserter(common),
                       [&](const std::string& name) { return std::ranges::find(others, name) != others.end(); });
  return common;
}

class Comparison {
 public:
  void compare(const std::string& path, const Value& before, const Value& after) {
    if (before == after) {
      return;
    }
    if (before.is_object() && after.is_object()) {
      compare_objects(path, before, after);
    } else if (before.is_array() && after.is_array()) {
      compare_arrays(path, before, after);
    } else {
      note(path, &before, &after);
    }
  }
  std::vector<Difference> take() { return std::move(differences_); }

 private:
  void note(const std::string& path, const Value* before, const Value* after) {
    differences_.push_back({path, before != nullptr ? to_compact_text(*before) : std::string(),
                            after != nullptr ? to_compact_text(*after) : std::string()});
  }

  void compare_optional(const std::string& path, const Value* before, const Value* after) {
    if (before != nullptr && after != nullptr) {
      compare(path, *before, *after);
    } else {
      note(path, before, after);
    }
  }

  void compare_objects(const std::string& path, const Value& before, const Value& after) {
    for (const auto& [key, value] : before.items()) {
      compare_optional(path_to_key(path, key), &value, member(after, key));
    }
    for (const auto& [key, value] : after.items()) {
      if (member(before, key) == nullptr) {
        note(path_to_key(path, key), nullptr, &value);
      }
    }
  }

  void compare_arrays(const std::string& path, const Value& before, const Value& after) {
    const auto before_names = names_of(before);
    const auto after_names = names_of(after);
    if (before_names && after_names) {
      compare_named(path, before, *before_names, after, *after_names);
      return;
    }
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      compare_optional(path_to_index(path, i), i < before.size() ? &before[i] : nullptr,
                       i < after.size() ? &after[i] : nullptr);
    }
  }

  void compare_named(const std::string& path, const Value& before, const std::vector<std::string>& before_names,
                     const Value& after, const std::vector<std::string>& after_names) {
    const auto place = [](const std::vector<std::string>& names, const std::string& name) {
      return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
    };
    for (std::size_t i = 0; i < before_names.size(); ++i) {
      const auto at = place(after_names, before_names[i]);
      compare_optional(path_to_name(path, before_names[i]), &before[i], at < after.size() ? &after[at] : nullptr);
    }
    for (std::size_t i = 0; i < after_names.size(); ++i) {
      if (place(before_names, after_names[i]) == before_names.size()) {
        note(path_to_name(path, after_names[i]), nullptr, &after[i]);
      }
    }
    // The order of init containers and of environment variables means something.
    const Value before_order = common_in_order(before_names, after_names);
    const Value after_order = common_in_order(after_names, before_names);
    if (before_order != after_order) {
      note(path, &before_order, &after_order);
    }
  }

  std::vector<Difference> differences_;
};

}  // namespace

std::vector<Difference> diff(const Value& before, const Value& after) {
  Comparison comparison;
  comparison.compare("", before, after);
  return comparison.take();
}

}  // namespace deployctl::json
