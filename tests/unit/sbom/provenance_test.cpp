#include "core/sbom/provenance.hpp"

#include "core/json/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace deployctl::sbom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

BuildFacts sample() {
  return {
      .builder = BuildFacts::Builder::engine,
      .tool_version = "0.1.0",
      .project = "shop",
      .service = "api",
      .environment = "prod",
      .manifest_name = "deployctl.yaml",
      .manifest = oci::Digest::of("project: shop"),
      .dockerfile_name = "",
      .dockerfile = oci::Digest::of("FROM scratch"),
      .stage = "",
      .platforms = {},
      .arguments = {{"GOPROXY", "https://ada:pw@goproxy.cn,direct"}, {"NPM_TOKEN", "s3cr3t"}, {"VERSION", "v1"}},
      .secrets = {"npm_token"},
      .source = SourceFacts{.remote_url = "https://git.example.com/shop.git", .commit = "0123abc", .is_dirty = true},
      .base_images = {{.reference = "docker.io/library/debian:bookworm-slim",
                       .digest = oci::Digest::of("debian"),
                       .image_id = ""},
                      {.reference = "docker.io/library/local:1", .digest = {}, .image_id = "sha256:77"},
                      {.reference = "docker.io/library/gone:1", .digest = {}, .image_id = ""}},
      .programs = {{"docker", "20.10.24"}}};
}

TEST(Provenance, SaysWhatWasBuiltFromWhatByWhom) {
  const auto statement = provenance_statement(provenance_predicate(sample()),
                                              {{.name = "r.example/shop/api", .digest = oci::Digest::of("m")}});
  ASSERT_TRUE(statement);
  EXPECT_EQ(json::to_pretty_text(*json::parse(*statement, "the statement")), R"({
  "_type": "https://in-toto.io/Statement/v1",
  "subject": [
    {
      "name": "r.example/shop/api",
      "digest": {
        "sha256": "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"
      }
    }
  ],
  "predicateType": "https://slsa.dev/provenance/v1",
  "predicate": {
    "buildDefinition": {
      "buildType": "https://deployctl.dev/build/engine/v1",
      "externalParameters": {
        "project": "shop",
        "service": "api",
        "environment": "prod",
        "projectManifest": {
          "name": "deployctl.yaml",
          "digest": {
            "sha256": "14c2c0cacf64bddb75a46b29e2cb894a335c317e34ca9b35a4eb5bfbc0cd12f3"
          }
        },
        "dockerfile": {
          "digest": {
            "sha256": "67c4282c6928ae380489b6392127b14bb16d8c2f5ba5fa285a934f4f94387b5e"
          }
        },
        "arguments": {
          "GOPROXY": "https://***@goproxy.cn,direct",
          "NPM_TOKEN": "***",
          "VERSION": "v1"
        },
        "secrets": [
          "npm_token"
        ]
      },
      "internalParameters": {
        "programs": {
          "docker": "20.10.24"
        }
      },
      "resolvedDependencies": [
        {
          "name": "source",
          "uri": "git+https://git.example.com/shop.git",
          "digest": {
            "gitCommit": "0123abc"
          },
          "annotations": {
            "dirty": true
          }
        },
        {
          "name": "docker.io/library/debian:bookworm-slim",
          "uri": "pkg:oci/debian@sha256%3A81d93757457f988523814ae0009837ae893f38d3fe123f2c37896f118b4c7804?repository_url=docker.io/library/debian&tag=bookworm-slim",
          "digest": {
            "sha256": "81d93757457f988523814ae0009837ae893f38d3fe123f2c37896f118b4c7804"
          }
        },
        {
          "name": "docker.io/library/local:1",
          "uri": "pkg:oci/local?repository_url=docker.io/library/local&tag=1",
          "annotations": {
            "imageId": "sha256:77"
          }
        },
        {
          "name": "docker.io/library/gone:1",
          "uri": "pkg:oci/gone?repository_url=docker.io/library/gone&tag=1",
          "annotations": {
            "digestKnown": false
          }
        }
      ]
    },
    "runDetails": {
      "builder": {
        "id": "https://deployctl.dev/deployctl@0.1.0",
        "version": {
          "deployctl": "0.1.0"
        }
      }
    }
  }
}
)");
}

TEST(Provenance, ClaimsNoSourceAndNoEnvironmentWhereThereIsNone) {
  auto facts = sample();
  facts.source.reset();
  facts.environment.clear();
  facts.base_images.clear();
  facts.builder = BuildFacts::Builder::native;
  const auto predicate = provenance_predicate(facts);
  EXPECT_THAT(predicate, HasSubstr("build/native/v1"));
  EXPECT_THAT(predicate, Not(HasSubstr("resolvedDependencies")));
  EXPECT_THAT(predicate, Not(HasSubstr("environment")));
  EXPECT_THAT(predicate, Not(HasSubstr("s3cr3t")));
}

TEST(Provenance, NamesARepositoryByAnUri) {
  auto facts = sample();
  facts.source->remote_url = "https://github.com/shop/api";
  EXPECT_THAT(provenance_predicate(facts), HasSubstr(R"("uri":"git+https://github.com/shop/api")"));
  facts.source->remote_url.clear();
  EXPECT_THAT(provenance_predicate(facts), HasSubstr(R"({"name":"source","digest")"));
}

TEST(Provenance, IsNotMadeOfADamagedRecord) {
  EXPECT_FALSE(provenance_statement("{", {}));
  EXPECT_FALSE(provenance_statement("[]", {}));
}

std::vector<std::string> names(const std::vector<std::string>& steps) {
  std::vector<std::string> out;
  for (const auto& image : base_images(steps)) {
    out.push_back(image.reference + (image.digest ? "@" + std::string(image.digest->brief()) : ""));
  }
  return out;
}

TEST(BaseImages, AreReadFromTheStepsOfEveryBuilder) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_THAT(names({"[internal] load build definition from Dockerfile",
                     "[build 1/3] FROM docker.io/library/golang:1.22@" + digest,
                     "[stage-1 1/2] FROM docker.io/library/debian:bookworm-slim", "[build 2/3] RUN echo FROM here"}),
              ElementsAre("docker.io/library/golang:1.22@aaaaaaaaaaaa", "docker.io/library/debian:bookworm-slim"));
  EXPECT_THAT(names({"[1/5] FROM --platform=linux/amd64 golang:1.22 AS build", "[2/5] RUN make", "[3/5] FROM scratch",
                     "[4/5] FROM build as again", "[5/5] FROM again", "FROM golang:1.22"}),
              ElementsAre("docker.io/library/golang:1.22"));
}

}  // namespace
}  // namespace deployctl::sbom
