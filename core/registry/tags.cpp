#include "core/registry/tags.hpp"

#include "core/http/link.hpp"
#include "core/json/reader.hpp"
#include "core/json/value.hpp"

#include <nlohmann/json.hpp>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr int tags_on_a_page = 1000;  // the most that ECR gives
constexpr int most_pages = 1000;
constexpr std::uint64_t longest_page = 8u << 20u;

// Registries answer "tags": null when the last one has gone.
Status add_tags(const http::Response& response, const std::string& registry, std::vector<std::string>& tags) {
  const auto value = json::parse(response.body, "the list of tags");
  if (!value) {
    return Error::failed("{} answered with something that is no list of tags", registry);
  }
  for (const auto& tag : json::Reader(*value).at("tags").elements()) {
    if (auto name = tag.string(); name && oci::why_not_tag(*name).empty()) {
      tags.push_back(std::move(*name));
    }
  }
  return {};
}

}  // namespace

Status each_page(Session& session, const Call& first, const std::function<Status(const Answer&)>& take,
                 std::stop_token stop) {
  auto call = first;
  for (int page = 1; page <= most_pages; ++page) {
    const auto answer = session.send(call, stop);
    if (!answer) {
      return answer.error();
    }
    if (const auto taken = take(*answer); !taken) {
      return taken;
    }
    const auto next = http::link_target(answer->response.headers, "next");
    if (!answer->response.is_success() || !next) {
      return {};
    }
    const auto url = answer->url.resolve(*next);
    if (!url || !url->same_origin(answer->url) || *url == answer->url) {
      return Error::failed("{} names a next page that cannot be: {}", session.registry(), *next);
    }
    call.url = *url;
  }
  return Error::failed("{} has more than {} pages of answers", session.registry(), most_pages);
}

Result<std::vector<std::string>> list_tags(Session& session, std::stop_token stop) {
  std::vector<std::string> tags;
  const Call first{.method = "GET",
                   .url = session.url("tags/list").with_query("n", std::to_string(tags_on_a_page)),
                   .max_body_bytes = longest_page};
  const auto listed = each_page(
      session, first,
      [&](const Answer& answer) {
        return answer.response.is_success() ? add_tags(answer.response, session.registry(), tags)
                                            : Status(session.refused(answer.response, "list the tags of"));
      },
      stop);
  return listed ? Result(std::move(tags)) : listed.error();
}

}  // namespace deployctl::registry
