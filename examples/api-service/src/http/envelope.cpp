#include "http/envelope.hpp"

#include <nlohmann/json.hpp>

namespace http {
namespace {

// What a client sent may come back in a message; bytes that are no UTF-8 are replaced, never refused.
std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Response envelope(int status, int code, std::string_view message, const Json& data) {
  Response response{.status = status, .headers = {}, .body = dump({{"code", code}, {"msg", message}, {"data", data}})};
  response.headers.set("Content-Type", "application/json; charset=utf-8");
  return response;
}

Json field_errors(const std::vector<error::FieldError>& fields) {
  Json list = Json::array();
  for (const auto& each : fields) {
    list.push_back({{"field", each.field}, {"reason", each.reason}});
  }
  return {{"errors", std::move(list)}};
}

}  // namespace

Response success(int status, const Json& data) {
  return envelope(status, static_cast<int>(error::Code::ok), "ok", data);
}

Response failure(const error::ApiError& error) {
  const Json data = error.fields().empty() ? Json(nullptr) : field_errors(error.fields());
  Response response = envelope(error.status(), static_cast<int>(error.code()), error.what(), data);
  for (const auto& [name, value] : error.headers()) {
    response.headers.set(name, value);
  }
  return response;
}

}  // namespace http
