// What gives a secret away in text that others wrote: names of settings, and words in messages.
#pragma once

#include <string>
#include <string_view>

namespace deployctl::base {

// Whether a setting or variable of that name holds a secret more often than not: "API_TOKEN", "db.password".
bool sounds_secret(std::string_view name);

// What a program printed, on one line and with *** in place of what may be a secret: values of names that sound so,
// what stands behind "Bearer" and "Basic", users and passwords in URLs, members of JSON objects, and long words that
// are letters and digits without a meaning.
std::string without_secrets(std::string_view printed);

}  // namespace deployctl::base
