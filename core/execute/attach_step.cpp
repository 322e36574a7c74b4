#include "core/execute/attach_step.hpp"

#include "core/base/overloaded.hpp"
#include "core/base/text.hpp"
#include "core/execute/native_steps.hpp"
#include "core/execute/provenance_record.hpp"
#include "core/oci/blob_file.hpp"
#include "core/sbom/attachment.hpp"
#include "core/sbom/image_sbom.hpp"
#include "core/sbom/provenance.hpp"
#include "core/sbom/spdx.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

using Referrers = std::vector<oci::Descriptor>;

// A manifest or an index as the registry has it.
struct PushedDocument {
  oci::Descriptor descriptor;
  oci::Document document;
};

constexpr std::string_view created_annotation = "org.opencontainers.image.created";

// Builders list their attestations beside the images, for a platform that nobody has.
bool is_image(const oci::Descriptor& listed) {
  return !listed.platform || listed.platform->os != "unknown";
}

// Attaches what is missing to one pushed image, single or of several platforms.
class Attacher {
 public:
  Attacher(oci::Reference repository, const Seen& seen, const std::string& tool_version, const Ports& ports)
      : repository_(std::move(repository)),
        registry_(seen.world.registry->client),
        store_(open_image_store(ports.environment)),
        tool_version_(tool_version),
        ports_(ports) {}

  base::Result<AttachResult> run(const plan::AttachDocuments& action, const oci::Digest& digest) {
    const auto root = fetch(digest);
    if (!root) {
      return root.error();
    }
    if (action.provenance) {
      if (const auto attached = attach_provenance(*root); !attached) {
        return attached.error();
      }
    }
    if (action.sbom) {
      if (const auto attached = attach_sboms(*root); !attached) {
        return attached.error();
      }
    }
    return std::move(result_);
  }

 private:
  base::Result<PushedDocument> fetch(const oci::Digest& digest) {
    const auto remote = registry_.manifest(repository_.with_digest(digest), ports_.stop);
    if (!remote) {
      return remote.error();
    }
    auto document = oci::parse_document(remote->bytes, remote->media_type);
    if (!document) {
      return document.error();
    }
    return PushedDocument{
        .descriptor = {.media_type = remote->media_type, .digest = digest, .size = remote->bytes.size()},
        .document = std::move(*document)};
  }

  // What refers to the subject; asked once for each.
  base::Result<Referrers> referrers(const oci::Digest& subject) {
    if (const auto known = referrers_.find(subject); known != referrers_.end()) {
      return known->second;
    }
    auto found = registry_.referrers(repository_, subject, {}, ports_.stop);
    if (found) {
      referrers_[subject] = *found;
    }
    return found;
  }

  base::Status attach(const sbom::Attachment& attachment, const oci::Descriptor& subject) {
    const auto artifact = sbom::make_artifact(attachment, subject, store_);
    if (!artifact) {
      return artifact.error();
    }
    const auto there = referrers(subject.digest);
    if (!there) {
      return there.error();
    }
    if (std::ranges::find(*there, artifact->digest, &oci::Descriptor::digest) != there->end()) {
      return {};
    }
    const auto attached = registry_.attach(*artifact, repository_, {.stop = ports_.stop});
    if (!attached) {
      return attached.error();
    }
    ++result_.attached;
    result_.by_fallback_tag = result_.by_fallback_tag || attached->by_fallback_tag;
    return {};
  }

  base::Status attach_provenance(const PushedDocument& root) {
    std::vector<sbom::StatementSubject> subjects{{repository_.name(), root.descriptor.digest}};
    std::vector<oci::Digest> names{root.descriptor.digest};
    if (const auto* index = std::get_if<oci::ImageIndex>(&root.document)) {
      for (const auto& listed : index->manifests) {
        if (is_image(listed)) {
          subjects.push_back({repository_.name(), listed.digest});
        }
      }
    } else {
      names.push_back(std::get<oci::ImageManifest>(root.document).config.digest);
    }
    const auto predicate = find_provenance(names, ports_);
    if (!predicate) {
      result_.missing = "no provenance: the image was not built here with provenance asked for";
      return {};
    }
    auto statement = sbom::provenance_statement(*predicate, subjects);
    if (!statement) {
      return statement.error();
    }
    return attach({.media_type = std::string(sbom::statement_media_type),
                   .document = std::move(*statement),
                   .annotations = {{std::string(sbom::predicate_annotation), std::string(sbom::provenance_type)},
                                   {std::string(sbom::version_annotation), tool_version_}}},
                  root.descriptor);
  }

  base::Status attach_sboms(const PushedDocument& root) {
    const auto* index = std::get_if<oci::ImageIndex>(&root.document);
    if (index == nullptr) {
      return attach_sbom(root);
    }
    for (const auto& listed : index->manifests) {
      if (!is_image(listed)) {
        continue;
      }
      const auto image = fetch(listed.digest);
      if (!image) {
        return image.error();
      }
      if (const auto attached = attach_sbom(*image); !attached) {
        return attached.error();
      }
    }
    return {};
  }

  // An image never changes under its digest, so an SBOM that this version made is not made again.
  base::Status attach_sbom(const PushedDocument& image) {
    const auto* manifest = std::get_if<oci::ImageManifest>(&image.document);
    if (manifest == nullptr || !manifest->artifact_type.empty()) {
      return {};
    }
    const auto there = referrers(image.descriptor.digest);
    if (!there) {
      return there.error();
    }
    if (sbom::has_sbom(*there, tool_version_)) {
      return {};
    }
    const auto date = source_date(ports_.environment);
    if (!date) {
      return date.error();
    }
    const auto listed = sbom::image_sbom(
        {.repository = repository_,
         .manifest = image.descriptor,
         .config = manifest->config,
         .layers = manifest->layers,
         .tool = "deployctl-" + tool_version_,
         .fallback_time = io::to_rfc3339(io::WallTime(std::chrono::seconds(date->value_or(0))))},
        [&](const oci::Descriptor& blob, const oci::PieceSink& sink) { return read_blob(blob, sink); });
    if (!listed) {
      return listed.error().within("looking into the image");
    }
    return attach({.media_type = std::string(sbom::spdx_media_type),
                   .document = listed->document,
                   .annotations = {{std::string(created_annotation), listed->created},
                                   {std::string(sbom::version_annotation), tool_version_}}},
                  image.descriptor);
  }

  // From the cache, where a push has just left it, else from the registry.
  base::Status read_blob(const oci::Descriptor& blob, const oci::PieceSink& sink) {
    return store_.has_blob(blob) ? oci::read_blob_file(store_.blob_path(blob.digest), blob, sink, ports_.stop)
                                 : registry_.fetch_blob(repository_, blob, sink, ports_.stop);
  }

  oci::Reference repository_;
  registry::Client& registry_;
  oci::ImageStore store_;
  const std::string& tool_version_;
  const Ports& ports_;
  std::map<oci::Digest, Referrers> referrers_;
  AttachResult result_;
};

}  // namespace

base::Result<AttachResult> attach_documents(const plan::AttachDocuments& action, const std::string& image,
                                            const Seen& seen, const std::string& tool_version, const Ports& ports) {
  const auto reference = oci::Reference::parse(image);
  if (!reference) {
    return reference.error();
  }
  if (!reference->digest) {
    return base::Error::failed("the image {} is not pinned by digest", image);
  }
  oci::Reference repository{
      .registry = reference->registry, .repository = reference->repository, .tag = {}, .digest = {}};
  return Attacher(std::move(repository), seen, tool_version, ports).run(action, *reference->digest);
}

}  // namespace deployctl::execute
