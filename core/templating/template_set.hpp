// The text templates of generated files: the real files of templates/, embedded at build time, any of which a project
// may replace by its own under .deployctl/templates/<same path>.
#pragma once

#include "core/base/result.hpp"
#include "core/io/file_system.hpp"
#include "core/templating/render.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace deployctl::templating {

inline constexpr std::string_view override_folder = ".deployctl/templates";

class TemplateSet {
 public:
  // The embedded ones.
  TemplateSet() = default;
  // The embedded ones with the project's own on top. invalid_input for a file there that replaces nothing.
  static base::Result<TemplateSet> load(const std::string& project_directory, const io::FileSystem& files);

  // The paths of all templates below templates/, sorted.
  [[nodiscard]] static std::vector<std::string_view> names();
  // The text of a template of that path; nothing replaces an unknown name: it is a programming mistake.
  [[nodiscard]] std::string_view text(std::string_view name) const;
  // The template filled with values; invalid_input when a project's own template is broken or uses an unknown name.
  [[nodiscard]] base::Result<std::string> render(std::string_view name, const Values& values) const;

 private:
  std::map<std::string, std::string, std::less<>> overrides_;
};

}  // namespace deployctl::templating
