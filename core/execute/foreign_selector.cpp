#include "core/execute/foreign_selector.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"

namespace deployctl::execute {

base::Status check_selector(const kube::Object& wanted, const kube::Object& applied) {
  if (wanted.kind() != "Service") {
    return {};
  }
  const auto ours = json::Reader(wanted.body).at("spec", "selector");
  for (const auto& [key, value] : json::Reader(applied.body).at("spec", "selector").members()) {
    if (ours.at(key).exists()) {
      continue;
    }
    const auto path = base::replace_all(base::replace_all(std::string(key), "~", "~0"), "/", "~1");
    return base::Error::refused("{} would find none of its pods: its selector also has {}={}, which is not ours",
                                kube::to_string(wanted.key()), key, value.string_or())
        .with_hint(
            "take it out: kubectl patch {} -n {} --type=json -p '[{{\"op\": \"remove\", \"path\": "
            "\"/spec/selector/{}\"}}]'",
            kube::to_string(wanted.key()), wanted.name_space(), path);
  }
  return {};
}

}  // namespace deployctl::execute
