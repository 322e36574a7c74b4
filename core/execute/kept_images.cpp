#include "core/execute/kept_images.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/execute/at_once.hpp"
#include "core/oci/image_config.hpp"
#include "core/oci/reference.hpp"
#include "core/oci/same_image.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace deployctl::execute {
namespace {

constexpr std::size_t most_platforms = 16;

std::optional<oci::Document> parsed(const registry::RemoteDocument& document) {
  auto read = oci::parse_document(document.bytes, document.media_type);
  return read ? std::optional(std::move(*read)) : std::nullopt;
}

// Reads images of a repository as far as it takes to tell them apart.
class Comparison {
 public:
  Comparison(const oci::Reference& repository, registry::Client& registry, std::stop_token stop)
      : repository_(repository), registry_(registry), stop_(std::move(stop)) {}

  bool are_same(const oci::Document& one, const oci::Document& other) {
    return std::visit(
        base::Overloaded{
            [&](const oci::ImageManifest& a, const oci::ImageManifest& b) { return are_same_images(a, b); },
            [&](const oci::ImageIndex& a, const oci::ImageIndex& b) { return are_same_indexes(a, b); },
            [](const auto&, const auto&) { return false; },
        },
        one, other);
  }

  std::optional<oci::Document> document(const oci::Digest& digest) {
    const auto document = registry_.manifest(repository_.with_digest(digest), stop_);
    return document ? parsed(*document) : std::nullopt;
  }

 private:
  bool are_same_images(const oci::ImageManifest& one, const oci::ImageManifest& other) {
    if (!oci::have_same_layers(one, other)) {
      return false;
    }
    if (one.config.digest == other.config.digest) {
      return true;
    }
    const auto settings = config(one.config);
    const auto others = settings ? config(other.config) : std::nullopt;
    return others && oci::have_same_settings(*settings, *others);
  }

  bool are_same_indexes(const oci::ImageIndex& one, const oci::ImageIndex& other) {
    const auto pairs = oci::paired_by_platform(one, other);
    return pairs && pairs->size() <= most_platforms && std::ranges::all_of(*pairs, [&](const auto& pair) {
             return are_same_entries(pair.first.digest, pair.second.digest);
           });
  }

  // An index inside an index is not looked into.
  bool are_same_entries(const oci::Digest& one, const oci::Digest& other) {
    if (one == other) {
      return true;
    }
    const auto left = document(one);
    const auto right = left ? document(other) : std::nullopt;
    const bool are_images = right && std::holds_alternative<oci::ImageManifest>(*left) &&
                            std::holds_alternative<oci::ImageManifest>(*right);
    return are_images && are_same(*left, *right);
  }

  std::optional<std::string> config(const oci::Descriptor& blob) {
    if (blob.size > oci::longest_config) {
      return std::nullopt;
    }
    std::string bytes;
    const auto take = [&](std::string_view piece) {
      bytes += piece;
      return base::Status();
    };
    const auto fetched = registry_.fetch_blob(repository_, blob, take, stop_);
    return fetched ? std::optional(std::move(bytes)) : std::nullopt;
  }

  const oci::Reference& repository_;
  registry::Client& registry_;
  std::stop_token stop_;
};

bool is_same(const NewImage& image, const std::string& live, registry::Client& registry, std::stop_token stop) {
  const auto wanted = oci::Reference::parse(image.reference);
  const auto runs = oci::Reference::parse(live);
  if (!wanted || !runs || !wanted->digest || !runs->digest || wanted->name() != runs->name()) {
    return false;
  }
  if (wanted->digest == runs->digest) {
    return true;  // under another tag
  }
  Comparison comparison(*runs, registry, std::move(stop));
  const auto before = comparison.document(*runs->digest);
  const auto after = image.document ? parsed(*image.document) : comparison.document(*wanted->digest);
  return before && after && comparison.are_same(*before, *after);
}

}  // namespace

ServiceImages images_to_keep(const NewImages& images, const ServiceImages& live, registry::Client& registry,
                             std::stop_token stop) {
  ServiceImages kept;
  std::mutex mutex;
  Jobs jobs;
  for (const auto& each : images) {
    const auto runs = live.find(each.first);
    if (runs == live.end() || runs->second == each.second.reference) {
      continue;
    }
    jobs.emplace_back([&, runs, image = &each.second] {
      if (is_same(*image, runs->second, registry, stop)) {
        const std::scoped_lock lock(mutex);
        kept.insert(*runs);
      }
    });
  }
  run_at_once(jobs);
  return kept;
}

void tell_kept_images(const ServiceImages& kept, const Ports& ports) {
  if (kept.empty()) {
    return;
  }
  std::vector<std::string> services;
  for (const auto& each : kept) {
    services.push_back(each.first);
  }
  const auto names = base::join(services, ", ");
  const auto* const words =
      services.size() == 1 ? "the image of {} is the live one but for its labels of commit and time; its pods keep it"
                           : "the images of {} are the live ones but for their labels of commit and time; their "
                             "pods keep them";
  ports.events.emit(events::Note{events::Note::Level::info, fmt::format(fmt::runtime(words), names)});
}

}  // namespace deployctl::execute
