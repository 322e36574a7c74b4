// Values nobody would write by accident, in every place a project manifest has for text. Whatever is generated must
// still say what it said before, or nothing is generated at all.
#include "core/base/text.hpp"
#include "core/generate/artifacts.hpp"
#include "core/generate/compose.hpp"
#include "core/yaml/convert.hpp"
#include "core/yaml/parse.hpp"
#include "tests/unit/generate/sample.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>

namespace deployctl::generate {
namespace {

using json::Value;
using tests::at;

std::vector<std::string> hostile_texts() {
  return {"no",
          "on",
          "~",
          "null",
          "1.20",
          "012",
          "0x1F",
          "1e3",
          "22:22",
          "2020-01-01",
          "<<",
          "",
          " ",
          " lead",
          "trail ",
          "a: b",
          "a #b",
          "# syntax=x",
          "- x",
          "? x",
          "*alias",
          "&anchor",
          "!tag",
          "%YAML 1.2",
          "---",
          "...",
          "{a: b}",
          "[a]",
          "\"",
          "'",
          "\\",
          "\\n",
          "a\nb",
          "a\n\n b\n",
          "\n",
          "\ttab\t",
          "a\rb",
          "a\r\nb",
          "\x7f",
          "\x1b[31m",
          "\u0085",
          "\u2028",
          "\ufeffbom",
          "日本語",
          "😀",
          "$HOME",
          "${X:-y}",
          "$(id)",
          "`id`",
          "$$",
          "a\nUSER root",
          "x\nFROM y",
          "${{ github.token }}",
          "{{header}}",
          "{{#a}}",
          "; } server {",
          "a\\",
          "\"; rm -rf /",
          "'; id; '",
          std::string(3000, 'x'),
          "|",
          ">",
          "|-\n x",
          "@at",
          "=",
          "y",
          "N"};
}

std::string random_text(std::mt19937& random) {
  static const std::string alphabet = "ab01 \t\n\r:#-?*&!|>%@`\"'\\${}[](),=~<.\x01\x7f";
  std::string text;
  for (auto length = random() % 24; length > 0; --length) {
    text += alphabet[random() % alphabet.size()];
  }
  return text;
}

std::vector<std::string> all_texts() {
  auto texts = hostile_texts();
  std::mt19937 random(20240601);
  for (int i = 0; i < 300; ++i) {
    texts.push_back(random_text(random));
  }
  return texts;
}

Value parsed(const std::string& text) {
  base::Diagnostics diagnostics;
  const auto source = std::make_shared<const base::SourceFile>("generated.yaml", text);
  const auto node = yaml::parse(source, diagnostics, {.bytes = 16u << 20u});
  EXPECT_TRUE(diagnostics.empty()) << text;
  return yaml::to_json(node);
}

std::vector<Value> parsed_stream(const std::string& text) {
  base::Diagnostics diagnostics;
  const auto source = std::make_shared<const base::SourceFile>("generated.yaml", text);
  std::vector<Value> documents;
  for (const auto& node : yaml::parse_stream(source, diagnostics, {.bytes = 16u << 20u})) {
    documents.push_back(yaml::to_json(node));
  }
  EXPECT_TRUE(diagnostics.empty()) << text;
  return documents;
}

// A service with the text wherever an object takes any text at all.
project::Service service_with(const std::string& text) {
  auto service = tests::go_service("api");
  service.env = {{"VALUE", at(text)}};
  service.command = {"/app", text};
  service.files = {{"/etc/file", at(std::string("file"))}};
  service.health.readiness->command = {"/app", text};
  service.volumes = {
      {.name = "data", .mount = "/data/" + text, .size = tests::quantity("1Gi"), .storage_class = text, .span = {}}};
  service.ingress =
      project::Ingress{.host = text, .path = "/" + text, .class_name = text, .tls_secret = text, .span = {}};
  return service;
}

TEST(HostileText, KubernetesFilesReadBackAsTheObjectsThatWereApplied) {
  for (const auto& text : all_texts()) {
    const auto service = service_with(text);
    const Inputs inputs{.files = {{"file", text}}, .sources = {}};
    const auto objects = kubernetes_objects(tests::mini(), service, inputs);
    ASSERT_TRUE(objects);
    const auto documents = parsed_stream(to_yaml_stream(*objects));
    ASSERT_EQ(documents.size(), objects->size()) << text;
    for (std::size_t i = 0; i < documents.size(); ++i) {
      EXPECT_EQ(documents[i], (*objects)[i].body) << text;
    }
  }
}

TEST(HostileText, ComposeFilesReadBackAsTheServicesThatWereMeant) {
  for (const auto& text : all_texts()) {
    auto target = tests::mini();
    target.services = {service_with(text)};
    const auto file = compose(target, "v1");
    const auto made =
        artifacts(target, {}, {}, {.families = {Family::compose}, .tag = "v1", .api = {}, .environments = {}});
    ASSERT_TRUE(made);
    EXPECT_EQ(parsed(made->front().content), file) << text;
    EXPECT_EQ(base::replace_all(file["services"]["api"]["environment"]["VALUE"].get<std::string>(), "$$", "$"), text);
  }
}

// The instructions of a Dockerfile: what its lines are once continuations are joined and comments are gone.
std::vector<std::string> instructions(const std::string& text) {
  std::vector<std::string> words;
  bool continues = false;
  for (const auto line : base::split(text, '\n')) {
    if (line.starts_with('#') || base::trim(line).empty()) {
      continue;
    }
    if (!continues) {
      words.emplace_back(base::split_once(line, ' ').first);
    }
    continues = line.ends_with('\\');
  }
  return words;
}

TEST(HostileText, NeverAddsAnInstructionToADockerfile) {
  for (const auto stack : {project::Stack::go, project::Stack::cpp}) {
    auto plain = stack == project::Stack::go ? tests::go_service("api") : tests::cpp_service("api");
    plain.build->args = {{"VALUE", at(std::string("v"))}};
    plain.command = {"/app", "v"};
    plain.build->package = at(std::string("v"));
    const auto expected = instructions(*dockerfile(tests::mini(), plain, {}, {}));
    for (const auto& text : all_texts()) {
      const auto check = [&](const project::Service& service) {
        const auto made = dockerfile(tests::mini(), service, {}, {});
        if (made) {
          EXPECT_EQ(instructions(*made), expected) << text;
          EXPECT_TRUE(has_header(*made)) << text;
        } else {
          EXPECT_EQ(made.error().code, base::ErrorCode::invalid_input) << text;
        }
      };
      auto service = plain;
      service.build->args[0].second = at(text);
      check(service);
      service = plain;
      service.command = {"/app", text};
      check(service);
      service.command = {"/" + text};
      check(service);
      service = plain;
      service.build->base = at(text);
      service.build->runtime = at(std::string("scratch"));
      if (stack == project::Stack::go) {  // a base of one's own leaves out the apt-get of C++
        check(service);
      }
      service = plain;
      service.build->runtime = at(text);
      check(service);
      service = plain;
      service.build->package = at(text);
      check(service);
      service = plain;
      service.build->args[0].first = text;
      check(service);
      service = plain;
      service.build->secrets = {at(text)};
      check(service);
    }
  }
}

TEST(HostileText, InTheNameOfTheProjectManifestStaysInTheComment) {
  auto target = tests::mini();
  target.manifest_name = "x\nevil: true";
  const auto made =
      artifacts(target, {}, {}, {.families = {Family::compose, Family::dockerfile}, .api = {}, .environments = {}});
  ASSERT_TRUE(made);
  for (const auto& artifact : *made) {
    EXPECT_EQ(artifact.content.find("\nevil"), std::string::npos) << artifact.path;
  }
}

TEST(HostileText, InTheSourceOfASecretStaysInTheComment) {
  auto target = tests::mini();
  target.services[0].secrets = {{"X", {project::SecretSource::From::file, "a\nkind: ClusterRoleBinding"}, {}}};
  const auto made = artifacts(target, {}, {}, {.families = {Family::kubernetes}, .api = {}, .environments = {}});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->back().content.find("\nkind: ClusterRoleBinding"), std::string::npos);
}

}  // namespace
}  // namespace deployctl::generate
