// Header fields, and the two that have a grammar of their own.
#include "core/http/link.hpp"
#include "core/http/transport.hpp"
#include "core/http/warning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deployctl::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Headers, CompareNamesWithoutCase) {
  Headers headers{{"Accept", "a"}, {"ACCEPT", "b"}, {"Other", "c"}};
  EXPECT_EQ(headers.get("accept"), "a");
  EXPECT_THAT(headers.all("accept"), ElementsAre("a", "b"));
  headers.set("accept", "d");
  EXPECT_THAT(headers.all("Accept"), ElementsAre("d"));
  headers.remove("OTHER");
  EXPECT_EQ(headers.get("Other"), std::nullopt);
}

TEST(Body, IsReadAgainAfterRewind) {
  const auto body = body_of("hello");
  char buffer[3];
  EXPECT_EQ(body->size(), 5u);
  EXPECT_EQ(*body->read(buffer, 3), 3u);
  EXPECT_EQ(*body->read(buffer, 3), 2u);
  EXPECT_EQ(*body->read(buffer, 3), 0u);
  ASSERT_TRUE(body->rewind());
  EXPECT_EQ(*body->read(buffer, 3), 3u);
  EXPECT_EQ(std::string(buffer, 3), "hel");
}

struct LinkRow {
  std::string header;
  std::optional<std::string> next;
};

TEST(Link, GivesTheTargetOfTheNextPage) {
  const LinkRow rows[] = {
      {R"(</v2/_catalog?last=b&n=2>; rel="next")", "/v2/_catalog?last=b&n=2"},
      {R"(<https://r.example/v2/a/tags/list?n=1>;rel=next)", "https://r.example/v2/a/tags/list?n=1"},
      {R"(</prev>; rel="prev", </next>; rel="next")", "/next"},
      {R"(</a,b;c>; title="x, rel=next; \" y"; rel="NEXT last")", "/a,b;c"},
      {R"(</prev>; rel="prev")", std::nullopt},
      {R"(/no-brackets; rel="next")", std::nullopt},
      {"<unclosed; rel=next", std::nullopt},
      {"", std::nullopt},
      {",,;;<>", std::nullopt},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(link_target({{"Link", row.header}}, "next"), row.next) << row.header;
  }
}

TEST(Warning, GivesTheTextsThatAreMeantForPeople) {
  const Headers headers{{"Warning", R"(299 - "first, with comma", 299 registry "second \"quoted\"")"},
                        {"warning", R"(110 - "stale", 299 - "third")"},
                        {"Warning", "garbage"},
                        {"Warning", "299 - \"esc \x1b[31m\""}};
  EXPECT_THAT(warnings(headers), ElementsAre("first, with comma", "second \"quoted\"", "third", "esc "));
  EXPECT_THAT(warnings({}), IsEmpty());
  EXPECT_EQ(warnings({{"Warning", "299 - \"" + std::string(10'000, 'x') + "\""}}).at(0).size(), 4096u);
}

}  // namespace
}  // namespace deployctl::http
