// A registry of a few lines that keeps what it is sent, and can be told to misbehave; and images to push to it.
#pragma once

#include "core/base/text.hpp"
#include "core/registry/client.hpp"
#include "tests/support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>

namespace deployctl::registry::tests {

inline std::string read_all(http::Body& body) {
  std::string bytes(body.size(), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto count = body.read(bytes.data() + at, bytes.size() - at);
    if (!count || *count == 0) {
      bytes.resize(at);
      break;
    }
    at += *count;
  }
  return bytes;
}

inline http::Response status(int code, http::Headers headers = {}, std::string body = {}) {
  return {.status = code, .headers = std::move(headers), .body = std::move(body)};
}

inline std::string error_body(const std::string& code) {
  return R"({"errors":[{"code":")" + code + R"(","message":"words"}]})";
}

// Blobs are kept for all repositories together, manifests for each, by tag and by digest.
class FakeRegistry final : public http::Transport {
 public:
  base::Result<http::Response> send(const http::Request& request, const http::Exchange& exchange) override {
    if (before_answer) {
      before_answer();
    }
    {
      const std::scoped_lock lock(mutex);
      const auto line = request.method + " " + base::to_display(request.url);
      requests.push_back(line);
      ranges.push_back(request.headers.get("Range").value_or(""));
      authorizations.push_back(request.headers.get("Authorization").value_or(""));
      if (const auto scripted = interventions.find(line);
          scripted != interventions.end() && !scripted->second.empty()) {
        auto answer = scripted->second.front();
        scripted->second.erase(scripted->second.begin());
        return answer;
      }
      if (request.url.host == "auth.example") {
        queries.push_back(base::percent_decode(request.body ? read_all(*request.body) : request.url.query));
        return status(200, {}, R"({"token":"t)" + std::to_string(queries.size()) + R"(","expires_in":100})");
      }
      if (!challenge.empty() && !allowed.contains(authorizations.back())) {
        return status(401, {{"WWW-Authenticate", challenge}}, error_body("UNAUTHORIZED"));
      }
    }
    return serve(request, exchange);
  }

  std::function<void()> before_answer;  // called for every request, from any thread
  std::mutex mutex;
  std::map<std::string, std::vector<base::Result<http::Response>>> interventions;
  std::string challenge;
  std::set<std::string> allowed;
  std::vector<std::string> requests;
  std::vector<std::string> ranges;
  std::vector<std::string> authorizations;
  std::vector<std::string> queries;
  std::map<std::string, std::string> blobs;
  std::map<std::string, std::map<std::string, std::string>> repositories;  // of manifests
  std::string upload_location = "/v2/shop/api/blobs/uploads/1?_state=x";
  bool has_referrers_api = false;
  std::size_t most_in_a_request = 0;  // bytes of a blob; more are refused with 413. 0: any number
  bool keeps_sessions = false;        // what a broken upload has brought
  std::string kept;
  std::vector<std::uint64_t> upload_cuts;  // the next uploads of more bytes break after so many
  std::vector<std::string> content_ranges;
  http::Headers upload_fields;      // besides Location, in the answer to POST
  std::vector<std::uint64_t> cuts;  // a blob's next transfers end after so many bytes, with a broken connection
  bool heeds_ranges = true;

 private:
  struct Path {
    std::string repository;
    std::string kind;  // "manifests", "blobs", "tags", "referrers"
    std::string name;
  };
  static Path split(const std::string& path) {
    for (const std::string kind : {"/manifests/", "/blobs/", "/tags/", "/referrers/"}) {
      if (const auto at = path.rfind(kind); at != std::string::npos && path.starts_with("/v2/")) {
        return {path.substr(4, at - 4), kind.substr(1, kind.size() - 2), path.substr(at + kind.size())};
      }
    }
    return {};
  }
  static std::string type_of(const std::string& bytes) {
    if (bytes.find(R"("mediaType":"application/vnd.example)") == 1) {
      return bytes.substr(14, bytes.find('"', 14) - 14);
    }
    const auto is_index = bytes.find("\"manifests\"") != std::string::npos;
    return std::string(is_index ? oci::media_type::image_index : oci::media_type::image_manifest);
  }

  base::Result<http::Response> serve(const http::Request& request, const http::Exchange& exchange) {
    const auto path = split(request.url.path);
    if (path.kind == "manifests") {
      const std::scoped_lock lock(mutex);
      return serve_manifest(request, path);
    }
    if (path.kind == "tags") {
      return list_tags(path.repository);
    }
    if (path.kind == "referrers") {
      return referrers(path.repository, path.name);
    }
    if (request.method == "POST") {
      return open_upload(request);
    }
    if (request.method == "PUT" || request.method == "PATCH") {
      return take_blob(request, exchange);
    }
    if (request.method == "GET" && keeps_sessions && path.name.starts_with("uploads/")) {
      return status(204, {{"Location", upload_location}, {"Range", "0-" + std::to_string(kept.size() - 1)}});
    }
    if (request.method == "GET" && path.kind == "blobs" && blobs.contains(path.name)) {
      return give_blob(request, exchange, blobs.at(path.name));
    }
    return status(blobs.contains(path.name) || request.url.path == "/v2/" ? 200 : 404);
  }
  base::Result<http::Response> open_upload(const http::Request& request) {
    const std::scoped_lock lock(mutex);
    const auto query = base::percent_decode(request.url.query);
    const auto mount = query.find("mount=");
    if (mount != std::string::npos && blobs.contains(query.substr(mount + 6, 71))) {
      return status(201);
    }
    auto fields = upload_fields;
    fields.add("Location", upload_location);
    kept.clear();
    return status(202, fields);
  }
  base::Result<http::Response> take_blob(const http::Request& request, const http::Exchange& exchange) {
    const bool is_last = request.method == "PUT";
    const auto digest = base::percent_decode(request.url.query.substr(request.url.query.find("digest=") + 7));
    std::ignore = request.body->rewind();
    auto bytes = read_all(*request.body);
    const std::scoped_lock lock(mutex);
    const auto range = request.headers.get("Content-Range");
    content_ranges.push_back(range.value_or(""));
    if (most_in_a_request != 0 && bytes.size() > most_in_a_request) {
      return status(413, {}, "<html>too large</html>");
    }
    if (!upload_cuts.empty() && bytes.size() > upload_cuts.front()) {
      kept += bytes.substr(0, upload_cuts.front());
      upload_cuts.erase(upload_cuts.begin());
      return base::Error::unreachable("the connection broke");
    }
    if (range) {
      EXPECT_EQ(base::split_once(*range, '-').first, std::to_string(kept.size()));
      bytes = kept += bytes;
    }
    if (!is_last) {
      return status(202, {{"Location", upload_location}, {"Range", "0-0"}});
    }
    if (oci::Digest::of(bytes).text() != digest) {
      return status(400, {}, error_body("DIGEST_INVALID"));
    }
    blobs[digest] = std::move(bytes);
    if (exchange.on_upload) {
      exchange.on_upload(request.body->size());
    }
    return status(201, {{"Docker-Content-Digest", digest}});
  }
  base::Result<http::Response> give_blob(const http::Request& request, const http::Exchange& exchange,
                                         std::string bytes) {
    const auto size = bytes.size();
    const auto range = request.headers.get("Range");
    http::Response answer = status(200);
    if (range && heeds_ranges) {
      const auto start = static_cast<std::size_t>(*base::parse_integer(range->substr(6, range->find('-') - 6)));
      bytes.erase(0, start);
      answer = status(206, {{"Content-Range", fmt::format("bytes {}-{}/{}", start, size - 1, size)}});
    }
    answer.headers.add("Content-Length", std::to_string(bytes.size()));
    const bool is_cut = !cuts.empty();
    if (is_cut) {
      bytes.resize(std::min<std::size_t>(cuts.front(), bytes.size()));
      cuts.erase(cuts.begin());
    }
    if (const auto wanted = exchange.sink.on_headers ? exchange.sink.on_headers(answer) : base::Status(); !wanted) {
      return wanted.error();
    }
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
      if (const auto taken = exchange.sink.on_body(std::string_view(bytes).substr(at, 7)); !taken) {
        return taken.error();
      }
    }
    return is_cut ? base::Result<http::Response>(base::Error::unreachable("the connection broke")) : answer;
  }
  base::Result<http::Response> list_tags(const std::string& repository) {
    if (!repositories.contains(repository)) {
      return status(404, {}, error_body("NAME_UNKNOWN"));
    }
    std::string list;
    for (const auto& [name, bytes] : repositories[repository]) {
      if (name.find(':') == std::string::npos) {
        list += (list.empty() ? "\"" : ",\"") + name + "\"";
      }
    }
    return status(200, {}, "{\"name\":\"x\",\"tags\":" + (list.empty() ? "null" : "[" + list + "]") + "}");
  }
  base::Result<http::Response> referrers(const std::string& repository, const std::string& subject) {
    if (!has_referrers_api) {
      return status(404, {{"Content-Type", "text/plain"}}, "404 page not found\n");
    }
    oci::ImageIndex index{.media_type = std::string(oci::media_type::image_index), .manifests = {}};
    for (const auto& [name, bytes] : repositories[repository]) {
      const auto document = oci::parse_document(bytes);
      const auto* manifest = document ? std::get_if<oci::ImageManifest>(&*document) : nullptr;
      if (manifest && manifest->subject && manifest->subject->digest.text() == subject &&
          name.find(':') != std::string::npos) {
        index.manifests.push_back({.media_type = manifest->media_type,
                                   .digest = oci::Digest::of(bytes),
                                   .size = bytes.size(),
                                   .platform = {},
                                   .annotations = manifest->annotations,
                                   .artifact_type = manifest->artifact_type});
      }
    }
    return status(200, {{"Content-Type", index.media_type}}, oci::index_bytes(index));
  }
  base::Result<http::Response> serve_manifest(const http::Request& request, const Path& path) {
    if (request.method == "PUT") {
      return take_manifest(request, path);
    }
    auto& manifests = repositories[path.repository];
    if (!manifests.contains(path.name)) {
      const bool is_new = manifests.empty();
      if (is_new) {
        repositories.erase(path.repository);
      }
      return status(404, {}, error_body(is_new ? "NAME_UNKNOWN" : "MANIFEST_UNKNOWN"));
    }
    if (request.method == "DELETE") {
      if (path.name.find(':') == std::string::npos) {
        return status(400, {}, error_body("DIGEST_INVALID"));
      }
      const auto bytes = manifests[path.name];
      std::erase_if(manifests, [&](const auto& entry) { return entry.second == bytes; });
      return status(202);
    }
    // As distribution does it: what is not asked for is not there.
    const auto type = type_of(manifests[path.name]);
    return request.headers.get("Accept").value_or("").find(type) == std::string::npos
               ? status(404, {}, error_body("MANIFEST_UNKNOWN"))
               : status(200, {{"Content-Type", type}}, manifests[path.name]);
  }
  base::Result<http::Response> take_manifest(const http::Request& request, const Path& path) {
    const auto bytes = read_all(*request.body);
    const auto digest = oci::Digest::of(bytes).text();
    repositories[path.repository][path.name] = bytes;
    repositories[path.repository][digest] = bytes;
    http::Headers headers{{"Docker-Content-Digest", digest}};
    const auto document = oci::parse_document(bytes);
    const auto* manifest = document ? std::get_if<oci::ImageManifest>(&*document) : nullptr;
    if (has_referrers_api && manifest && manifest->subject) {
      headers.add("OCI-Subject", manifest->subject->digest.text());
    }
    return status(201, headers);
  }
};

class RegistryTest : public ::testing::Test {
 protected:
  // An image of these layers; the files are in memory.
  oci::StoredImage image(const std::vector<std::string>& layers, const oci::Digest& subject = {}) {
    const auto blob = [&](std::string_view type, const std::string& bytes) {
      const oci::Descriptor descriptor{.media_type = std::string(type),
                                       .digest = oci::Digest::of(bytes),
                                       .size = bytes.size(),
                                       .platform = {},
                                       .annotations = {}};
      files_["/blobs/sha256/" + std::string(descriptor.digest.encoded())] = bytes;
      return descriptor;
    };
    oci::ImageManifest manifest{
        .media_type = std::string(oci::media_type::image_manifest),
        .config = blob(oci::media_type::image_config, "config of " + oci::Digest::of(base::join(layers, ",")).text()),
        .layers = {}};
    for (const auto& layer : layers) {
      manifest.layers.push_back(blob(oci::media_type::layer_gzip, layer));
    }
    if (!subject.empty()) {
      manifest.subject = oci::Descriptor{
          .media_type = manifest.media_type, .digest = subject, .size = 1, .platform = {}, .annotations = {}};
      manifest.artifact_type = "application/spdx+json";
      manifest.annotations = {{"made-by", "test"}};
    }
    const auto bytes = oci::manifest_bytes(manifest);
    return {.manifest = bytes,
            .media_type = manifest.media_type,
            .digest = oci::Digest::of(bytes),
            .config = manifest.config,
            .layers = manifest.layers,
            .platform = {},
            .blobs = "/blobs"};
  }
  // The same for several platforms.
  oci::StoredIndex index(const std::vector<std::vector<std::string>>& images) {
    oci::ImageIndex index{.media_type = std::string(oci::media_type::image_index), .manifests = {}};
    oci::StoredIndex stored{.bytes = {}, .media_type = index.media_type, .digest = {}, .images = {}};
    for (const auto& layers : images) {
      const auto& one = stored.images.emplace_back(image(layers));
      index.manifests.push_back({.media_type = one.media_type,
                                 .digest = one.digest,
                                 .size = one.manifest.size(),
                                 .platform = oci::Platform{"linux", "cpu" + std::to_string(index.manifests.size()), ""},
                                 .annotations = {}});
    }
    stored.bytes = oci::index_bytes(index);
    stored.digest = oci::Digest::of(stored.bytes);
    return stored;
  }
  Client client(std::optional<Credentials> credentials = std::nullopt) {
    store_ = std::make_unique<FixedCredentials>(std::move(credentials));
    return Client({registry_, clock_, *store_,
                   [this](const std::string& path) -> base::Result<std::shared_ptr<http::Body>> {
                     const auto found = files_.find(path);
                     return found == files_.end() ? base::Result<std::shared_ptr<http::Body>>(
                                                        base::Error::not_found("cannot open {}", path))
                                                  : http::body_of(found->second);
                   }},
                  {.insecure_registries = {}, .tls = {}, .retry = {}, .on_notice = [this](const std::string& text) {
                     notices_.push_back(text);
                   }});
  }
  base::Result<PushResult> push(const oci::StoredImage& image, const std::string& target = "r.example/shop/api:1") {
    auto with = client();
    return with.push(image, *oci::Reference::parse(target), {.parallel = 1, .on_progress = {}, .stop = {}});
  }

  std::map<std::string, std::string> files_;
  FakeRegistry registry_;
  deployctl::tests::FakeClock clock_;
  std::unique_ptr<CredentialStore> store_;
  std::vector<std::string> notices_;
};

inline const std::string root = "https://r.example/v2/shop/api/";

inline Credentials ada() {
  return {.username = "ada",
          .password = base::Secret("pw"),
          .identity_token = {},
          .source = "/home/ada/.docker/config.json"};
}

}  // namespace deployctl::registry::tests
