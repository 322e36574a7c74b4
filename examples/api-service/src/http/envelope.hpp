// The one shape of every API answer: {"code": 0, "msg": "ok", "data": …}. Code 0 means done.
#pragma once

#include "error/api_error.hpp"
#include "http/message.hpp"

#include <nlohmann/json_fwd.hpp>

namespace http {

using Json = nlohmann::ordered_json;

Response success(int status, const Json& data);
Response failure(const error::ApiError& error);

}  // namespace http
