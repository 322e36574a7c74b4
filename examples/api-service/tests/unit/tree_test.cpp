#include "router/tree.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace router {
namespace {

// The routes of a service that has every kind of segment; a route's number is its place here.
const std::vector<std::pair<std::string, std::string>> routes{
    {"GET", "/"},                       // 0
    {"GET", "/users/:id"},              // 1
    {"GET", "/users/me"},               // 2
    {"POST", "/users"},                 // 3
    {"GET", "/users/:user/posts/:id"},  // 4
    {"GET", "/files/*path"},            // 5
    {"GET", "/files/list"},             // 6
    {"DELETE", "/users/:name"},         // 7
    {"HEAD", "/files/list"},            // 8
    {"GET", "/a/b/c"},                  // 9
    {"GET", "/a/:x/d"},                 // 10
    {"GET", "/a/*rest"},                // 11
};

Tree tree() {
  Tree made;
  for (std::size_t at = 0; at < routes.size(); ++at) {
    made.insert(routes[at].first, routes[at].second, at);
  }
  return made;
}

// "1 id=7", "404", "405 GET, HEAD" or "400".
std::string described(const Match& match) {
  struct Describe {
    std::string operator()(const Found& found) const {
      std::string text = std::to_string(found.route);
      for (const auto& [name, value] : found.params) {
        text += " " + name + "=" + value;
      }
      return text;
    }
    std::string operator()(const NotFound&) const { return "404"; }
    std::string operator()(const MethodNotAllowed& no) const { return "405 " + no.allow; }
    std::string operator()(const BadPath&) const { return "400"; }
  };
  return std::visit(Describe{}, match);
}

struct Row {
  std::string method;
  std::string path;
  std::string expected;
};

TEST(Tree, finds_the_route_of_a_path) {
  const Row rows[] = {
      {"GET", "/", "0"},
      {"GET", "/users/7", "1 id=7"},
      {"POST", "/users", "3"},
      {"GET", "/users/7/posts/9", "4 user=7 id=9"},
      {"DELETE", "/users/ann", "7 name=ann"},
      {"GET", "/files/a/b.txt", "5 path=a/b.txt"},
      {"GET", "/files/", "5 path="},
  };
  const Tree made = tree();
  for (const auto& row : rows) {
    EXPECT_EQ(described(made.find(row.method, row.path)), row.expected) << row.method << " " << row.path;
  }
}

TEST(Tree, prefers_a_literal_to_a_parameter_and_a_parameter_to_a_catch_all) {
  const Tree made = tree();
  EXPECT_EQ(described(made.find("GET", "/users/me")), "2");
  EXPECT_EQ(described(made.find("GET", "/files/list")), "6");
  EXPECT_EQ(described(made.find("GET", "/a/b/c")), "9");
  EXPECT_EQ(described(made.find("GET", "/a/z/d")), "10 x=z");
  EXPECT_EQ(described(made.find("GET", "/a/z/e")), "11 rest=z/e");
}

TEST(Tree, gives_up_a_preferred_branch_that_leads_nowhere) {
  const Tree made = tree();
  EXPECT_EQ(described(made.find("GET", "/a/b/d")), "10 x=b");
  EXPECT_EQ(described(made.find("GET", "/a/b/e")), "11 rest=b/e");
  EXPECT_EQ(described(made.find("DELETE", "/users/me")), "7 name=me");
}

TEST(Tree, does_not_find_what_is_not_there) {
  const Tree made = tree();
  for (const char* path : {"/nope", "/users/", "/users/7/", "/users/7/posts", "/Users/7", "//", "users", "", "*"}) {
    EXPECT_EQ(described(made.find("GET", path)), "404") << path;
  }
}

TEST(Tree, says_which_methods_a_path_takes) {
  const Tree made = tree();
  EXPECT_EQ(described(made.find("PUT", "/users/7")), "405 DELETE, GET, HEAD");
  EXPECT_EQ(described(made.find("GET", "/users")), "405 POST");
  EXPECT_EQ(described(made.find("HEAD", "/users")), "405 POST");
}

TEST(Tree, answers_head_with_the_get_route_unless_head_has_its_own) {
  const Tree made = tree();
  EXPECT_EQ(described(made.find("HEAD", "/users/7")), "1 id=7");
  EXPECT_EQ(described(made.find("HEAD", "/files/list")), "8");
}

TEST(Tree, decodes_parameters_after_it_has_split_the_path) {
  const Tree made = tree();
  EXPECT_EQ(described(made.find("GET", "/users/a%2Fb")), "1 id=a/b");
  EXPECT_EQ(described(made.find("GET", "/users/%E5%B0%8F")), "1 id=小");
  EXPECT_EQ(described(made.find("GET", "/users/%zz")), "400");
  EXPECT_EQ(described(made.find("GET", "/users/%0")), "400");
  EXPECT_EQ(described(made.find("GET", "/users/%00")), "400");
}

TEST(Tree, refuses_patterns_that_are_a_mistake) {
  Tree made = tree();
  for (const char* pattern : {"users", "/users/:", "/*", "/files/*path/more", "/users/:id", "/files/*other"}) {
    EXPECT_THROW(made.insert("GET", pattern, 99), std::logic_error) << pattern;
  }
}

}  // namespace
}  // namespace router
