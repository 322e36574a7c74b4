#include "core/oci/archive_listing.hpp"

#include "core/base/text.hpp"
#include "core/oci/reference.hpp"

#include <algorithm>
#include <vector>

namespace deployctl::oci {
namespace {

using base::Error;
using base::Result;

// The image's place in the archive, in skopeo's words.
std::string by_place(std::size_t place) {
  return "@" + std::to_string(place);
}

// What an entry of manifest.json is called; its place when it has no name.
std::vector<std::string> names_of(const json::Reader& entry, std::size_t place) {
  std::vector<std::string> names;
  for (const auto& tag : entry.at("RepoTags").elements()) {
    names.push_back(tag.string_or());
  }
  return names.empty() ? std::vector{by_place(place)} : names;
}

// What is in the archive, to be chosen from.
std::string names_in(const json::Reader& listed) {
  std::vector<std::string> names;
  const auto entries = listed.elements();
  for (std::size_t place = 0; place < entries.size(); ++place) {
    const auto own = names_of(entries[place], place);
    names.insert(names.end(), own.begin(), own.end());
  }
  return names.empty() ? "nothing" : base::printable(base::join(names, ", "));
}

bool is_called(const std::string& name, const std::string& wanted) {
  const auto parsed = Reference::parse(name);
  const auto wanted_parsed = Reference::parse(wanted);
  return name == wanted || (parsed && wanted_parsed && *parsed == *wanted_parsed);
}

}  // namespace

Result<json::Reader> choose_image(const json::Reader& listed, const std::string& wanted) {
  const auto entries = listed.elements();
  if (wanted.empty() && entries.size() <= 1) {
    return listed.at(std::size_t{0});
  }
  if (wanted.empty()) {
    return Error::not_found("which image is meant is not said: the archive holds {}", names_in(listed))
        .with_hint("add the name of the one that is meant: docker-archive:FILE:{}",
                   base::printable(names_of(entries.front(), 0).front()));
  }
  for (std::size_t place = 0; place < entries.size(); ++place) {
    const auto has_name = [&](const std::string& name) { return is_called(name, wanted); };
    if (wanted == by_place(place) || std::ranges::any_of(names_of(entries[place], place), has_name)) {
      return entries[place];
    }
  }
  return Error::not_found("the archive holds no image '{}': it has {}", base::printable(wanted), names_in(listed));
}

}  // namespace deployctl::oci
