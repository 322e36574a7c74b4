// What yaml-cpp complains about, in words that help. Private to this module.
#pragma once

#include <string>
#include <string_view>

namespace deployctl::yaml {

struct Complaint {
  std::string message;
  std::string hint;
};

// `complaint` is yaml-cpp's own message; `rest` the text from the place it names.
Complaint explain(std::string_view complaint, std::string_view rest);

// Whether yaml-cpp says that a quoted scalar, or a flow collection, has no end: it names the end of the file, people
// want to see the beginning.
bool is_about_open_quote(std::string_view complaint);
bool is_about_open_bracket(std::string_view complaint);
// Whether it is about an escape in double quotes: it names the place after it.
bool is_about_escape(std::string_view complaint);

}  // namespace deployctl::yaml
