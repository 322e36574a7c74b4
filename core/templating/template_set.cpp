#include "core/templating/template_set.hpp"

#include "core/base/text.hpp"
#include "core/templating/embedded.hpp"

#include <algorithm>
#include <cassert>

namespace deployctl::templating {
namespace {

constexpr std::uint64_t largest_template = 256u << 10u;

const EmbeddedTemplate* find_embedded(std::string_view name) {
  const auto& templates = embedded_templates();
  const auto found = std::ranges::find(templates, name, &EmbeddedTemplate::name);
  return found == templates.end() ? nullptr : &*found;
}

// The paths of all regular files below a folder, relative to it.
base::Status collect_files(const io::FileSystem& files, const std::string& folder, const std::string& prefix,
                           std::vector<std::string>& found) {
  const auto names = files.list(folder);
  if (!names) {
    return names.error();
  }
  for (const auto& name : *names) {
    const auto path = io::join_path(folder, name);
    if (files.stat(path).kind == io::FileKind::directory) {
      if (auto status = collect_files(files, path, prefix + name + "/", found); !status) {
        return status;
      }
    } else {
      found.push_back(prefix + name);
    }
  }
  return {};
}

}  // namespace

base::Result<TemplateSet> TemplateSet::load(const std::string& project_directory, const io::FileSystem& files) {
  TemplateSet set;
  const auto folder = io::join_path(project_directory, override_folder);
  if (files.stat(folder).kind != io::FileKind::directory) {
    return set;
  }
  std::vector<std::string> paths;
  if (auto status = collect_files(files, folder, "", paths); !status) {
    return status.error().within("reading {}", override_folder);
  }
  for (const auto& path : paths) {
    if (find_embedded(path) == nullptr) {
      const auto known = names();
      return base::Error::invalid_input("{}/{} replaces no template", override_folder, path)
          .with_hint("{}", base::did_you_mean(path, std::vector<std::string>(known.begin(), known.end())));
    }
    auto text = files.read(io::join_path(folder, path), largest_template);
    if (!text) {
      return text.error().within("reading {}/{}", override_folder, path);
    }
    set.overrides_.emplace(path, *std::move(text));
  }
  return set;
}

std::vector<std::string_view> TemplateSet::names() {
  std::vector<std::string_view> names;
  for (const auto& embedded : embedded_templates()) {
    names.push_back(embedded.name);
  }
  return names;
}

std::string_view TemplateSet::text(std::string_view name) const {
  if (const auto own = overrides_.find(name); own != overrides_.end()) {
    return own->second;
  }
  const auto* embedded = find_embedded(name);
  assert(embedded != nullptr);
  return embedded->text;
}

base::Result<std::string> TemplateSet::render(std::string_view name, const Values& values) const {
  return templating::render(name, text(name), values);
}

}  // namespace deployctl::templating
