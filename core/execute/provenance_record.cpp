#include "core/execute/provenance_record.hpp"

#include "core/execute/world.hpp"

#include <algorithm>

namespace deployctl::execute {
namespace {

constexpr std::uint64_t longest_record = 1u << 20u;
constexpr std::uint64_t longest_manifest = 4u << 20u;

std::string record_path(const oci::Digest& image, const Ports& ports) {
  return io::join_path(cache_directory(ports.environment), "provenance/" + std::string(image.encoded()) + ".json");
}

std::optional<oci::Digest> digest_of_file(const std::string& path, const io::FileSystem& files) {
  const auto bytes = files.read(path, longest_manifest);
  return bytes ? std::optional(oci::Digest::of(*bytes)) : std::nullopt;
}

std::vector<std::string> secret_ids(const project::Build& build) {
  std::vector<std::string> ids;
  for (const auto& secret : build.secrets) {
    ids.push_back(*secret);
  }
  return ids;
}

sbom::BuildFacts facts_of(const BuildTrace& trace, const project::Target& target, const project::Service& service,
                          const Seen& seen, const std::string& tool_version, const Ports& ports) {
  sbom::BuildFacts facts{
      .builder = trace.builder,
      .tool_version = tool_version,
      .project = *target.project,
      .service = *service.name,
      .environment = target.environment,
      .manifest_name = target.manifest_name,
      .manifest = digest_of_file(io::join_path(target.directory, target.manifest_name), ports.files),
      .dockerfile_name = trace.dockerfile_name,
      .dockerfile = trace.dockerfile ? std::optional(oci::Digest::of(*trace.dockerfile)) : std::nullopt,
      .stage = service.build->target,
      .platforms = service.build->platforms,
      .arguments = trace.arguments,
      .secrets = secret_ids(*service.build),
      .source = {},
      .base_images = trace.base_images,
      .programs = trace.programs};
  if (seen.commit) {
    facts.source = sbom::SourceFacts{
        .remote_url = seen.commit->remote_url, .commit = seen.commit->id, .is_dirty = seen.commit->is_dirty};
  }
  return facts;
}

}  // namespace

base::Status record_provenance(const BuildTrace& trace, const project::Target& target, const project::Service& service,
                               const Seen& seen, const std::string& tool_version, const Ports& ports) {
  const auto image = oci::Digest::parse(trace.image);
  if (!image) {
    return image.error().within("keeping the provenance of {}", *service.name);
  }
  const auto predicate = sbom::provenance_predicate(facts_of(trace, target, service, seen, tool_version, ports));
  return ports.files.write(record_path(*image, ports), predicate, io::Permissions::plain);
}

std::optional<std::string> find_provenance(const std::vector<oci::Digest>& names, const Ports& ports) {
  for (const auto& name : names) {
    if (auto record = ports.files.read(record_path(name, ports), longest_record)) {
      return std::move(*record);
    }
  }
  return {};
}

}  // namespace deployctl::execute
