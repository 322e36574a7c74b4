#include "handler/user_binding.hpp"

#include "error/api_error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace handler {
namespace {

using error::ApiError;
using error::Code;
using error::FieldError;
using nlohmann::json;

constexpr std::size_t longest_name = 64;    // characters
constexpr std::size_t longest_email = 254;  // bytes: what SMTP can carry (RFC 5321, section 4.5.3.1)
constexpr std::size_t longest_email_local = 64;
constexpr int oldest = 150;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const auto last = text.find_last_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first, last - first + 1);
}

// Characters of a UTF-8 text: the bytes that do not continue another.
std::size_t length(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Whether the text is parts, joined by dots, none of them empty.
template <typename IsPart>
bool is_dotted(std::string_view text, IsPart is_part) {
  for (;;) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    if (part.empty() || !is_part(part)) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(dot + 1);
  }
}

bool is_domain_label(std::string_view label) {
  return label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_atom(std::string_view part) {
  static constexpr std::string_view special = "!#$%&'*+-/=?^_`{|}~";
  return std::ranges::all_of(part,
                             [](char c) { return is_letter_or_digit(c) || special.find(c) != std::string_view::npos; });
}

bool is_email(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || text.size() > longest_email || at > longest_email_local) {
    return false;
  }
  const auto domain = text.substr(at + 1);
  return is_dotted(text.substr(0, at), is_atom) && is_dotted(domain, is_domain_label) &&
         domain.find('.') != std::string_view::npos;
}

// What is wrong with a field; empty when nothing is.
using Reason = std::string;

Reason bind_name(const json& value, model::NewUser& user) {
  if (value.is_null()) {
    return "is required";
  }
  if (!value.is_string()) {
    return "must be a string";
  }
  const auto name = trimmed(value.get_ref<const std::string&>());
  if (name.empty()) {
    return "must not be empty";
  }
  if (length(name) > longest_name) {
    return "must not be longer than " + std::to_string(longest_name) + " characters";
  }
  if (std::ranges::any_of(name, is_control)) {
    return "must not contain control characters";
  }
  user.name = name;
  return {};
}

Reason bind_email(const json& value, model::NewUser& user) {
  if (value.is_null()) {
    return "is required";
  }
  if (!value.is_string()) {
    return "must be a string";
  }
  const auto email = trimmed(value.get_ref<const std::string&>());
  if (!is_email(email)) {
    return "must be an e-mail address";
  }
  user.email = email;
  return {};
}

Reason bind_age(const json& value, model::NewUser& user) {
  if (value.is_null()) {
    return {};
  }
  const auto age = value.is_number_integer() ? value.get<double>() : -1;
  if (age < 0 || age > oldest) {
    return "must be a whole number from 0 to " + std::to_string(oldest);
  }
  user.age = static_cast<int>(age);
  return {};
}

json parse_object(std::string_view body) {
  json document = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) {
    throw ApiError(Code::invalid_json, "the body is not JSON");
  }
  if (!document.is_object()) {
    throw ApiError(Code::invalid_json, "the body is not a JSON object");
  }
  return document;
}

}  // namespace

model::NewUser bind_new_user(std::string_view body) {
  using Bind = Reason (*)(const json&, model::NewUser&);
  static constexpr std::pair<const char*, Bind> fields[] = {
      {"name", bind_name}, {"email", bind_email}, {"age", bind_age}};

  const json document = parse_object(body);
  model::NewUser user;
  std::vector<FieldError> errors;
  for (const auto& [field, bind] : fields) {
    if (Reason reason = bind(document.value(field, json()), user); !reason.empty()) {
      errors.push_back({.field = field, .reason = std::move(reason)});
    }
  }
  if (!errors.empty()) {
    throw ApiError(Code::validation_failed, "some fields are not valid").with_fields(std::move(errors));
  }
  return user;
}

model::UserId bind_user_id(std::string_view text) {
  model::UserId id = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (failure != std::errc() || end != text.data() + text.size() || id < 1) {
    throw ApiError(Code::invalid_id, "a user id is a whole number from 1")
        .with_fields({{.field = "id", .reason = "must be a whole number from 1"}});
  }
  return id;
}

}  // namespace handler
