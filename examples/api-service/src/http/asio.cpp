// Asio's and Beast's code, compiled here once instead of in every file that includes their headers.
// clang-format off
#include <utility>
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
