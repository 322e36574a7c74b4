#include "router/tree.hpp"

#include "http/text.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace router {

struct Tree::Node {
  struct Named {
    explicit Named(std::string_view called) : name(called), node(std::make_unique<Node>()) {}
    std::string name;
    std::unique_ptr<Node> node;
  };
  Node& child(std::string_view segment);

  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::vector<Named> parameters;  // the same place may be called :id in one route and :name in another
  std::optional<Named> rest;
  std::map<std::string, std::size_t, std::less<>> routes;  // by method
};

namespace {

using Segments = std::vector<std::string>;

// "/users/7" → {"users", "7"}; "/" → {""}: an empty last segment is a path of its own.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  for (path.remove_prefix(1);;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) {
      return segments;
    }
    path.remove_prefix(slash + 1);
  }
}

// Split first, decode after: an encoded slash stays inside its segment.
std::optional<Segments> decoded_segments(std::string_view path) {
  Segments decoded;
  for (const auto segment : split(path)) {
    auto text = http::percent_decoded(segment);
    if (!text) {
      return std::nullopt;
    }
    decoded.push_back(std::move(*text));
  }
  return decoded;
}

std::string joined(const Segments& segments, std::size_t from) {
  std::string text;
  for (std::size_t at = from; at < segments.size(); ++at) {
    text += (at == from ? "" : "/") + segments[at];
  }
  return text;
}

std::string_view why_not_pattern(std::string_view pattern) {
  if (!pattern.starts_with('/')) {
    return "must begin with a slash";
  }
  const auto segments = split(pattern);
  for (const auto segment : segments) {
    if (segment == ":" || segment == "*") {
      return "a parameter needs a name";
    }
    if (segment.starts_with('*') && segment.data() != segments.back().data()) {
      return "a catch-all must be the last segment";
    }
  }
  return {};
}

[[noreturn]] void reject(std::string_view pattern, std::string_view reason) {
  throw std::logic_error("route '" + std::string(pattern) + "': " + std::string(reason));
}

// One walk over the tree: collects the parameters of the branch it is in.
template <typename Node>
class Search {
 public:
  Search(std::string_view method, const Segments& segments) : method_(method), segments_(segments) {}

  const std::size_t* in(const Node& node, std::size_t depth) {
    if (depth == segments_.size()) {
      return route_at(node);
    }
    if (const auto* route = in_literal(node, depth)) {
      return route;
    }
    if (const auto* route = in_parameters(node, depth)) {
      return route;
    }
    return in_rest(node, depth);
  }

  Params params;
  std::map<std::string, std::size_t, std::less<>> other_methods;

 private:
  const std::size_t* in_literal(const Node& node, std::size_t depth) {
    const auto child = node.literals.find(segments_[depth]);
    return child == node.literals.end() ? nullptr : in(*child->second, depth + 1);
  }

  const std::size_t* in_parameters(const Node& node, std::size_t depth) {
    if (segments_[depth].empty()) {
      return nullptr;
    }
    for (const auto& parameter : node.parameters) {
      params.emplace_back(parameter.name, segments_[depth]);
      if (const auto* route = in(*parameter.node, depth + 1)) {
        return route;
      }
      params.pop_back();
    }
    return nullptr;
  }

  const std::size_t* in_rest(const Node& node, std::size_t depth) {
    if (!node.rest) {
      return nullptr;
    }
    params.emplace_back(node.rest->name, joined(segments_, depth));
    if (const auto* route = route_at(*node.rest->node)) {
      return route;
    }
    params.pop_back();
    return nullptr;
  }

  const std::size_t* route_at(const Node& node) {
    if (const auto route = node.routes.find(method_); route != node.routes.end()) {
      return &route->second;
    }
    if (const auto route = node.routes.find("GET"); method_ == "HEAD" && route != node.routes.end()) {
      return &route->second;
    }
    other_methods.insert(node.routes.begin(), node.routes.end());
    return nullptr;
  }

  std::string_view method_;
  const Segments& segments_;
};

std::string allow_field(std::map<std::string, std::size_t, std::less<>> methods) {
  if (methods.contains("GET")) {
    methods.emplace("HEAD", 0);
  }
  std::string text;
  for (const auto& [method, route] : methods) {
    text += (text.empty() ? "" : ", ") + method;
  }
  return text;
}

}  // namespace

Tree::Tree() : root_(std::make_unique<Node>()) {}
Tree::~Tree() = default;
Tree::Tree(Tree&&) noexcept = default;
Tree& Tree::operator=(Tree&&) noexcept = default;

// The place of one segment of a pattern below a node; made when it is not there.
Tree::Node& Tree::Node::child(std::string_view segment) {
  if (segment.starts_with(':')) {
    const auto known = std::ranges::find(parameters, segment.substr(1), &Named::name);
    return *(known != parameters.end() ? *known : parameters.emplace_back(segment.substr(1))).node;
  }
  if (segment.starts_with('*')) {
    if (rest && rest->name != segment.substr(1)) {
      reject(segment, "there is a catch-all of another name");
    }
    return *(rest ? *rest : rest.emplace(segment.substr(1))).node;
  }
  auto& literal = literals[std::string(segment)];
  literal = literal ? std::move(literal) : std::make_unique<Node>();
  return *literal;
}

void Tree::insert(std::string_view method, std::string_view pattern, std::size_t route) {
  if (const auto reason = why_not_pattern(pattern); !reason.empty()) {
    reject(pattern, reason);
  }
  Node* node = root_.get();
  for (const auto segment : split(pattern)) {
    node = &node->child(segment);
  }
  if (!node->routes.emplace(method, route).second) {
    reject(pattern, "is there already");
  }
}

Match Tree::find(std::string_view method, std::string_view path) const {
  if (!path.starts_with('/')) {
    return NotFound{};
  }
  const auto segments = decoded_segments(path);
  if (!segments) {
    return BadPath{};
  }
  Search<Node> search(method, *segments);
  if (const auto* route = search.in(*root_, 0)) {
    return Found{.route = *route, .params = std::move(search.params)};
  }
  if (!search.other_methods.empty()) {
    return MethodNotAllowed{.allow = allow_field(std::move(search.other_methods))};
  }
  return NotFound{};
}

}  // namespace router
