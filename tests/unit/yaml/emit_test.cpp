#include "core/yaml/emit.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::yaml {
namespace {

std::string emit_json(std::string_view text) {
  return emit(json::Value::parse(text));
}

TEST(Emit, writes_objects_the_way_kubectl_does) {
  EXPECT_EQ(emit_json(R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "api", "labels": {"app.kubernetes.io/name": "api"}, "annotations": {}},
    "spec": {"replicas": 3, "paused": false, "template": {"spec": {"containers": [
      {"name": "api", "image": "registry.example.com/team/api:1.4@sha256:0123", "args": ["--port", "8080", "-v"],
       "resources": {"limits": {"cpu": "100m", "memory": "128Mi"}}, "env": []},
      {"name": "log"}], "volumes": null}}}})"),
            "apiVersion: apps/v1\n"
            "kind: Deployment\n"
            "metadata:\n"
            "  name: api\n"
            "  labels:\n"
            "    app.kubernetes.io/name: api\n"
            "  annotations: {}\n"
            "spec:\n"
            "  replicas: 3\n"
            "  paused: false\n"
            "  template:\n"
            "    spec:\n"
            "      containers:\n"
            "      - name: api\n"
            "        image: registry.example.com/team/api:1.4@sha256:0123\n"
            "        args:\n"
            "        - \"--port\"\n"
            "        - \"8080\"\n"
            "        - \"-v\"\n"
            "        resources:\n"
            "          limits:\n"
            "            cpu: 100m\n"
            "            memory: 128Mi\n"
            "        env: []\n"
            "      - name: log\n"
            "      volumes: null\n");
}

TEST(Emit, nests_lists_in_lists) {
  EXPECT_EQ(emit_json(R"([[1,[2,3]],[],[{"a":[4]}],{"b":{"c":5}}])"),
            "- - 1\n  - - 2\n    - 3\n- []\n- - a:\n    - 4\n- b:\n    c: 5\n");
}

TEST(Emit, writes_single_scalars_and_empty_collections_as_documents) {
  EXPECT_EQ(emit_json("{}"), "{}\n");
  EXPECT_EQ(emit_json("[]"), "[]\n");
  EXPECT_EQ(emit_json("null"), "null\n");
  EXPECT_EQ(emit_json(R"("a\nb")"), "\"a\\nb\"\n");
}

TEST(Emit, writes_text_of_several_lines_as_a_literal_block) {
  EXPECT_EQ(emit_json(R"({"a":"one\n  two\n\n\tthree\n","b":"x\ny","c":["p\nq\n\n\n","r"],"d":"# no remark\n"})"),
            "a: |\n  one\n    two\n\n  \tthree\n"
            "b: |-\n  x\n  y\n"
            "c:\n- |+\n  p\n  q\n\n\n- r\n"
            "d: |\n  # no remark\n");
}

TEST(Emit, quotes_text_that_a_literal_block_could_not_hold) {
  EXPECT_EQ(
      emit_json(R"([" a\nb","\na","\ta\nb","a\r\nb\n","a\n \nb","a\n\u0085b","\n"])"),
      "- \" a\\nb\"\n- \"\\na\"\n- \"\\ta\\nb\"\n- \"a\\r\\nb\\n\"\n- \"a\\n \\nb\"\n- \"a\\n\\x85b\"\n- \"\\n\"\n");
}

TEST(Emit, writes_numbers_that_yaml_1_1_takes_for_numbers) {
  EXPECT_EQ(emit_json("[0,-1,18446744073709551615,0.5,1e300,1.5e-9,1e-7]"),
            "- 0\n- -1\n- 18446744073709551615\n- 0.5\n- 1.0e+300\n- 1.5e-09\n- 1.0e-07\n");
}

TEST(Emit, writes_a_key_that_is_too_long_for_one_line_with_a_question_mark) {
  const std::string key(1200, 'k');
  EXPECT_EQ(emit(json::Value{{"a", {{key, 1}}}}), "a:\n  ? " + key + "\n  : 1\n");
}

TEST(Quote, leaves_plain_what_nothing_could_misread) {
  for (const std::string text : {"api",        "a b c",     "a:b",       "registry:5000/x/y:1.2@sha256:0",
                                 "/app/serve", "./cmd/api", "100m",      "128Mi",
                                 "1h30m",      "30s",       "镜像",      "中文 标签",
                                 "_x",         "a-b_c.d",   "x=y",       "http://a.b/c",
                                 "nginx.conf", "nobody",    "yesterday", "None",
                                 "a(b)",       "$HOME",     "name@host", "5Gi"}) {
    // A text that starts with '$' is quoted only because '$' is no letter: see the next test.
    EXPECT_EQ(quote(text), text == "$HOME" ? "\"$HOME\"" : text);
  }
}

TEST(Quote, quotes_what_some_reader_would_take_for_something_else) {
  for (const std::string text :
       {"",           " ",  "a ",    " a",   "y",    "N",     "Yes",  "NO",   "on",  "Off",   "true",  "False",
        "null",       "~",  "1",     "012",  "1.20", "1e3",   "0x1F", "0o17", "0b1", "1_000", "22:22", "190:20:30",
        "2001-12-14", ".5", ".inf",  ".NaN", "+1",   "-1",    "-",    "--",   "---", "...",   "- a",   "? a",
        ": a",        ":a", "a: b",  "a:",   "a #b", "#a",    "<<",   "=",    "!a",  "&a",    "*a",    "%a",
        "@a",         "`a", "|",     ">",    "{a",   "[a",    "]",    "}",    ",",   "'a",    "a,b",   "a[0]",
        "{}",         "[]", "1.2.3", "3d9f", "1e",   "12e03", "0m"}) {
    EXPECT_EQ(quote(text), "\"" + text + "\"");
  }
}

TEST(Quote, escapes_what_cannot_be_seen) {
  struct Row {
    std::string text, quoted;
  };
  const Row rows[] = {
      {"a\nb", R"("a\nb")"},
      {"a\tb\r", R"("a\tb\r")"},
      {"say \"x\" \\", R"("say \"x\" \\")"},
      {"\x1b[0m", R"("\x1B[0m")"},
      {std::string("\0", 1), R"("\x00")"},
      {"\x7f", R"("\x7F")"},
      {"a\xC2\xA0", R"("a\xA0")"},
      {"\xE2\x80\xAE", R"("\u202E")"},
      {"\xEF\xBB\xBF"
       "a",
       R"("\uFEFFa")"},
      {"\xFFx", "\"\xEF\xBF\xBDx\""},
      {"😀\n", "\"😀\\n\""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(quote(row.text), row.quoted);
  }
}

}  // namespace
}  // namespace deployctl::yaml
