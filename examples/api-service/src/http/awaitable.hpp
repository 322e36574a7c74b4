// asio::awaitable, the type of every coroutine here. Boost 1.74's header forgets that it needs <utility>.
#pragma once

// clang-format off
#include <utility>
#include <boost/asio/awaitable.hpp>
// clang-format on

namespace http {
namespace asio = boost::asio;
}
