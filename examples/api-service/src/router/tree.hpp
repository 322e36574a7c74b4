// Finds the route of a path: a tree by path segments, as in Gin. A pattern's segment is a literal, a parameter (":id",
// one segment that is not empty) or, at the end only, a catch-all ("*rest", what is left, maybe nothing). At every
// level a literal is preferred to a parameter and a parameter to a catch-all; a preferred branch that leads nowhere is
// given up for the next one.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace router {

using Params = std::vector<std::pair<std::string, std::string>>;

struct Found {
  std::size_t route = 0;
  Params params;  // decoded
};
struct NotFound {};
struct MethodNotAllowed {
  std::string allow;  // the methods that would be, for the Allow field: "GET, HEAD, POST"
};
struct BadPath {};  // broken percent-encoding

using Match = std::variant<Found, NotFound, MethodNotAllowed, BadPath>;

class Tree {
 public:
  Tree();
  ~Tree();
  Tree(Tree&&) noexcept;
  Tree& operator=(Tree&&) noexcept;

  // Throws std::logic_error for a pattern that is malformed or already there: a mistake in the program.
  void insert(std::string_view method, std::string_view pattern, std::size_t route);

  // HEAD finds the GET route where it has none of its own.
  Match find(std::string_view method, std::string_view path) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace router
