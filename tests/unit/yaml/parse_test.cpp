#include "core/yaml/parse.hpp"

#include "core/yaml/convert.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace deployctl::yaml {
namespace {

base::SourcePtr file(std::string text) {
  return std::make_shared<base::SourceFile>("f.yaml", std::move(text));
}

// The tree as JSON, or the findings: "2:3: message (hint)", one a line.
std::string read(const std::string& text, ParseLimits limits = {}) {
  base::Diagnostics diagnostics;
  const auto node = parse(file(text), diagnostics, limits);
  if (!diagnostics.has_errors()) {
    return json::to_compact_text(to_json(node));
  }
  EXPECT_TRUE(is_null(node)) << "an error comes without a tree";
  std::string findings;
  for (const auto& finding : diagnostics.sorted()) {
    findings += base::to_string(finding.span).substr(std::string_view("f.yaml").size()) + ": " + finding.message;
    findings += finding.hint.empty() ? "\n" : " (" + finding.hint + ")\n";
  }
  return findings;
}

TEST(Parse, reads_what_people_write) {
  struct Row {
    std::string text, tree;
  };
  const Row rows[] = {
      {"", "null"},
      {"# nothing but a remark\n", "null"},
      {"a: 1\nb: [x, 'y', \"z\\n\"]\n", R"({"a":1,"b":["x","y","z\n"]})"},
      {"a:\n- b: 1\n  c: 2\n- d\n", R"({"a":[{"b":1,"c":2},"d"]})"},
      {"a: |\n  one\n  two\nb: >-\n  one\n  two\n", R"({"a":"one\ntwo\n","b":"one two"})"},
      {"a: no\nb: on\nc: 012\nd: 1.20\ne: ~\nf: 0x1F\ng: 'true'\n",
       R"({"a":"no","b":"on","c":"012","d":1.2,"e":null,"f":31,"g":"true"})"},
      {"a:\nb:\n", R"({"a":null,"b":null})"},
      {"a: {b, c: 1, d}\n? e\n? f # remark\n: g\n", R"({"a":{"b":null,"c":1,"d":null},"e":null,"f":"g"})"},
      {"a: 'one\n\n  two'\nb: \"x\\\n  y\"\n", R"({"a":"one\ntwo","b":"xy"})"},
      {"base: &b {x: 1}\nother: *b\n", R"({"base":{"x":1},"other":{"x":1}})"},
      {"a: &x 1\nb: *x\nc: &x 2\nd: *x\n", R"({"a":1,"b":1,"c":2,"d":2})"},
      {"\xEF\xBB\xBF"
       "a: 1\r\nb: 2\r\n",
       R"({"a":1,"b":2})"},
      {"---\na: 1\n...\n", R"({"a":1})"},
      {"%YAML 1.2\n---\na: 1\n", R"({"a":1})"},
      {"a: !!str 1\nb: !!int 2\nc: !!map {}\nd: ! 3\n", R"({"a":"1","b":2,"c":{},"d":"3"})"},
      {"\"<<\": 1\n8080: x\ntrue: y\n", R"({"<<":1,"8080":"x","true":"y"})"},
      {"名字: 镜像 😀\n", R"({"名字":"镜像 😀"})"},
      {"{a: 1, b: [2, {c: 3}]}", R"({"a":1,"b":[2,{"c":3}]})"},
      {"a: x\ty # with a tab in the text\n", R"({"a":"x\ty"})"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(read(row.text), row.tree) << row.text;
  }
}

TEST(Parse, refuses_what_could_mean_two_things) {
  struct Row {
    std::string text, findings;
  };
  const Row rows[] = {
      {"a: 1\nb: 2\na: 3\n", ":3:1: the key 'a' is given twice (it stands in line 1 already)\n"},
      {"a: {x: 1, y: 2, x: 3}\nb: 1\nb: 2\n",
       ":1:17: the key 'x' is given twice (it stands in line 1 already)\n"
       ":3:1: the key 'b' is given twice (it stands in line 2 already)\n"},
      {"a: &a {x: 1}\nb:\n  <<: *a\n", ":3:3: merge keys (<<) are not supported (write the keys out)\n"},
      {"[1, 2]: x\n", ":1:1: a key must be plain text\n"},
      {"? {a: 1}\n: x\n", ":1:3: a key must be plain text\n"},
      {"~: x\n", ":1:1: a key is missing here\n"},
      {"a: &k x\n*k : y\n", ":2:1: an alias cannot be a key\n"},
      {"a: &a [1, *a]\n", ":1:11: this alias stands inside the value it refers to\n"},
      {"a: *nobody\n", ":1:4: '*nobody' refers to an anchor that is not defined (put it in quotes if it is text)\n"},
      {"a: !secret x\nb: !!binary aGk=\nc: !thing {}\n",
       ":1:4: the tag !secret is not supported (remove it)\n"
       ":2:4: the tag !!binary is not supported (remove it)\n"
       ":3:4: the tag !thing is not supported (remove it)\n"},
      {"a: !!int x\nb: !!map y\n",
       ":1:4: 'x' does not fit the tag !!int\n"
       ":2:4: the tag !!map is not supported (remove it)\n"},
      {"a: 1\n---\nb: 2\n", ":2:1: a second document starts here (a file may hold one only)\n"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(read(row.text), row.findings) << row.text;
  }
}

TEST(Parse, explains_syntax_errors_in_plain_words_and_points_at_them) {
  struct Row {
    std::string text, findings;
  };
  const std::string tabs = "tabs cannot indent YAML; use spaces\n";
  const Row rows[] = {
      {"a:\n\tb: 1\n", ":2:1: " + tabs},
      {"a:\n  b: 1\n\tc: 2\n", ":3:1: " + tabs},
      {"a:\n  - x\n \t- y: 1\n", ":3:2: " + tabs},
      {"a: b: c\n", ":1:5: a ':' cannot stand here (check the indentation, and put text that holds ': ' in quotes)\n"},
      {"a: 1\n  b: 2\n",
       ":2:4: a ':' cannot stand here (check the indentation, and put text that holds ': ' in quotes)\n"},
      {"a:\n  b: 1\n c: 2\n",
       ":3:2: this line does not fit the mapping above it (write 'key: value', and start the keys of one mapping in "
       "the "
       "same column)\n"},
      {"a: 1\nb\n", ":2:1: there is no ':' after 'b' (write 'key: value')\n"},
      {"a:\n  b: 1\n  c # remark\nd: 2\n",
       ":3:3: this line does not fit the mapping above it (write 'key: value', and start the keys of one mapping in "
       "the "
       "same column)\n"},
      {"a: 1\n- b\n",
       ":2:1: this line does not fit the mapping above it (write 'key: value', and start the keys of one "
       "mapping in the same column)\n"},
      {"- a\nb: 1\n",
       ":2:1: this does not belong to what stands above (check the indentation, and quotes and brackets above)\n"},
      {"a: - b\n", ":1:4: a list cannot start here (start it on a line of its own, below its key)\n"},
      {"a: [1, 2\nb: 3\n", ":2:2: expected ',' or ']' here (the bracket in line 1 is still open)\n"},
      {"a: [1, 2\n", ":1:4: this bracket is never closed\n"},
      {"a: {x: 1\n", ":1:4: this bracket is never closed\n"},
      {"a: 1]\nb: ]\n", ":2:4: this bracket closes nothing (put it in quotes if it is text)\n"},
      {"a: 'x\nb: 1\n", ":1:4: this quoted text is never closed\n"},
      {"a: x\nb: \"y\n", ":2:4: this quoted text is never closed\n"},
      {"a: \"\\xZZ\"\n", ":1:5: this escape needs hexadecimal digits (\\x41, \\u0041 and \\U00000041 are 'A')\n"},
      {"a: @x\n", ":1:4: plain text cannot start with '@' (put it in quotes)\n"},
      {"a: `x`\n", ":1:4: plain text cannot start with '`' (put it in quotes)\n"},
      {"a: \"\\d\"\n",
       ":1:5: '\\d' is no escape in double quotes (write \\\\ for a backslash, or use single quotes)\n"},
      {"a: *\n", ":1:5: '*' starts an alias, but no name follows (put it in quotes if it is text)\n"},
      {"a: | x\n  y\n",
       ":1:6: after '|' or '>' only '+', '-' and a digit may stand (start the text on the next line)\n"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(read(row.text), row.findings) << row.text;
  }
}

TEST(Parse, refuses_bytes_that_are_no_yaml) {
  struct Row {
    std::string text, findings;
  };
  const Row rows[] = {
      {"a: 1\nb: \xE9t\xE9\n", ":2:4: the byte 0xE9 is not valid UTF-8 (save the file as UTF-8)\n"},
      {"a: \x1b[31m\n",
       ":1:4: the control character U+001B may not stand in YAML (inside double quotes it can be written as an escape "
       "such as \\x1b)\n"},
      {"a: 1\n\x04garbage: [",
       ":2:1: the control character U+0004 may not stand in YAML (inside double quotes it can be "
       "written as an escape such as \\x1b)\n"},
      {std::string("\x7f"
                   "ELF\x02\x01\0\0\0",
                   9),
       ":1:1: this is a binary file, not YAML (it holds NUL bytes)\n"},
      {std::string("a: \0b\n", 6), ":1:4: this is a binary file, not YAML (it holds NUL bytes)\n"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(read(row.text), row.findings);
  }
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(Parse, keeps_to_its_limits) {
  EXPECT_EQ(read("# " + std::string(10'000'000, 'x')), ": the file is 9.5 MiB long; at most 1.0 MiB are read\n");
  EXPECT_EQ(read("a: " + std::string(300'000, 'x')),
            ":1:4: this text is 293.0 KiB long; at most 256.0 KiB are allowed\n");
  EXPECT_EQ(read(nested(3), {.depth = 3}), "[[[]]]");
  EXPECT_EQ(read(nested(4), {.depth = 3}), ":1:4: the file is nested deeper than 3 levels\n");
  EXPECT_EQ(read(nested(100'000)), ":1:65: the file is nested deeper than 64 levels\n");
  EXPECT_EQ(read("[1, 2, 3]", {.nodes = 4}), "[1,2,3]");
  EXPECT_EQ(read("[1, 2, 3, 4]", {.nodes = 4}),
            ":1:11: the file holds more than 4 values, counting what its aliases repeat\n");
  EXPECT_EQ(read("a: &a [[1]]\nb: [*a]\n", {.depth = 3}), ":2:5: the file is nested deeper than 3 levels\n");
}

TEST(Parse, counts_what_aliases_repeat_before_it_repeats_it) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i <= 9; ++i) {
    bomb += fmt::format("a{0}: &a{0} [*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1}]\n", i, i - 1);
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_NE(read(bomb).find("the file holds more than 100000 values, counting what its aliases repeat"),
            std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(500));

  auto wide = "a: &a " + std::string(200'000, 'x') + "\nb: [";
  for (int i = 0; i < 5'000; ++i) {
    wide += "*a,";
  }
  EXPECT_NE(read(wide + "]\n").find("the file holds more than 8.0 MiB of text"), std::string::npos);
}

TEST(Parse, finds_a_repeated_key_among_very_many) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) {
    text += fmt::format("key{}: 1\n", i);
  }
  EXPECT_EQ(read(text + "key7: 2\n"), ":40001:1: the key 'key7' is given twice (it stands in line 8 already)\n");
}

TEST(ParseStream, gives_every_document_that_holds_something) {
  base::Diagnostics diagnostics;
  const auto nodes = parse_stream(file("---\n---\na: 1\n--- # remark\nb: 2\n...\n---\n"), diagnostics);
  ASSERT_FALSE(diagnostics.has_errors());
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(json::to_compact_text(to_json(nodes[1])), R"({"b":2})");
  EXPECT_EQ(nodes[1].find("b")->span.begin, (base::Position{5, 4}));
}

// The text a span covers.
std::string spanned(const base::SourceSpan& span) {
  return std::string(span.file->line(span.begin.line).substr(span.begin.column - 1, span.length));
}

TEST(Parse, knows_where_everything_was_written) {
  base::Diagnostics diagnostics;
  const auto root = parse(file("\xEF\xBB\xBF"
                               "plain: some text # remark\n"
                               "single: 'it''s'\n"
                               "double: \"a\\\"b\" # remark\n"
                               "anchored: &x !!str  value\n"
                               "block: |-\n  text\n"
                               "folded plain: one\n  two\n"
                               "nothing:\n"
                               "tilde: ~\n"
                               "list: [镜像, b]\n"
                               "dashes:\n-\n- x\n"),
                          diagnostics);
  ASSERT_FALSE(diagnostics.has_errors());
  struct Row {
    std::string_view key, text;
  };
  const Row rows[] = {{"plain", "some text"}, {"single", "'it''s'"}, {"double", "\"a\\\"b\""},
                      {"anchored", "value"},  {"block", "|-"},       {"folded plain", "one"},
                      {"nothing", "nothing"}, {"tilde", "~"},        {"list", "["}};
  for (const auto& row : rows) {
    EXPECT_EQ(spanned(root.find(row.key)->span), row.text);
  }
  EXPECT_EQ(spanned(root.find("list")->items[0].span), "镜像");
  EXPECT_EQ(spanned(root.find("list")->items[1].span), "b");
  EXPECT_EQ(root.find("dashes")->items[0].span.begin, (base::Position{13, 1}));
  EXPECT_EQ(spanned(root.entries[0].key.span), "plain");
}

}  // namespace
}  // namespace deployctl::yaml
