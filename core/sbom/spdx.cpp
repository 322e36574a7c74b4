// Relationships, and why these (clause 11.1): the document DESCRIBES the image; the image CONTAINS the operating
// system, the Debian packages and each file that came in none of them; a package CONTAINS its files; a Go program is
// GENERATED_FROM its main module and has a STATIC_LINK to every other module in it.
//
// A document of a large image has some ten thousand elements, so it is written one element at a time.
#include "core/sbom/spdx.hpp"

#include "core/base/text.hpp"
#include "core/json/value.hpp"
#include "core/sbom/package_url.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace deployctl::sbom {
namespace {

constexpr std::string_view document_id = "SPDXRef-DOCUMENT";
constexpr std::string_view image_id = "SPDXRef-Image";
constexpr std::string_view system_id = "SPDXRef-OperatingSystem";
constexpr std::string_view no_assertion = "NOASSERTION";
constexpr std::string_view namespace_root = "https://deployctl.dev/spdx/";

// Clause 3.2: letters, digits, '.' and '-'. The hash keeps apart what looks the same after that.
std::string element_id(std::string_view kind, std::string_view name, std::string_view whole_name) {
  std::string id = "SPDXRef-" + std::string(kind) + "-";
  for (const char byte : name.substr(0, 80)) {
    const bool fits = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                      byte == '.' || byte == '-';
    id += fits ? byte : '-';
  }
  return id + (name.empty() ? "" : "-") + std::string(oci::Digest::of(whole_name).encoded().substr(0, 16));
}

std::string file_id(const FileRecord& file) {
  return element_id("File", "", file.path);
}

std::string debian_id(const DebianPackage& package) {
  return element_id("deb", package.name, package.name + ":" + package.architecture);
}

// Clause 7.9: the SHA-1 of all files' SHA-1 in order.
std::string verification_code(std::vector<std::string_view> hashes) {
  std::ranges::sort(hashes);
  std::string all;
  for (const auto hash : hashes) {
    all += hash;
  }
  return checksums_of(all).sha1;
}

json::Value purl_reference(const PackageUrl& url) {
  return json::Value::array(
      {{{"referenceCategory", "PACKAGE-MANAGER"}, {"referenceType", "purl"}, {"referenceLocator", to_string(url)}}});
}

// What every package has; `hashes` are the SHA-1 of its files.
json::Value package_value(std::string_view id, std::string_view name, std::string_view version,
                          const std::vector<std::string_view>& hashes) {
  json::Value value{{"SPDXID", id}, {"name", name}};
  if (!version.empty()) {
    value["versionInfo"] = version;
  }
  value["downloadLocation"] = no_assertion;
  value["filesAnalyzed"] = !hashes.empty();
  if (!hashes.empty()) {
    value["packageVerificationCode"] = {{"packageVerificationCodeValue", verification_code(hashes)}};
  }
  value["licenseConcluded"] = no_assertion;
  value["licenseDeclared"] = no_assertion;
  value["copyrightText"] = no_assertion;
  return value;
}

bool is_web_address(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) &&
         std::ranges::all_of(text, [](char byte) { return byte > ' ' && byte < 0x7F; });
}

// "Debian OpenSSL Team <pkg@…>" as clause 7.5 writes it. Whether it is a person dpkg does not tell; most are teams.
std::string supplier(std::string_view maintainer) {
  const auto [name, rest] = base::split_once(maintainer, '<');
  const auto address = base::split_once(rest, '>').first;
  return fmt::format("Organization: {}{}", base::trim(name), address.empty() ? "" : fmt::format(" ({})", address));
}

// Go's own name for a release is go1.22.1, the standard library's version 1.22.1.
std::string standard_library_version(std::string_view go_version) {
  const auto version = base::split_once(go_version, ' ').first;
  return std::string(version.starts_with("go") ? version.substr(2) : version);
}

GoModule standard_library(const GoBuildInfo& program) {
  return {.path = "stdlib", .version = standard_library_version(program.go_version), .sum = "", .replaces = ""};
}

// A list of elements as text.
class ElementList {
 public:
  void add(const json::Value& element) {
    text_ += text_.empty() ? "" : ",";
    text_ += json::to_compact_text(element);
  }
  [[nodiscard]] std::string member(std::string_view name) const { return fmt::format(",\"{}\":[{}]", name, text_); }

 private:
  std::string text_;
};

class SpdxWriter {
 public:
  SpdxWriter(const ImageContents& contents, const SpdxSubject& subject) : contents_(contents), subject_(subject) {}

  std::string document() {
    relate(document_id, "DESCRIBES", image_id);
    add_image();
    add_system();
    add_debian_packages();
    add_go_programs();
    add_files();
    const auto body = packages_.member("packages") + files_.member("files") + relationships_.member("relationships");
    return head(body) + body + "}";
  }

 private:
  // Up to its last member, without the closing bracket.
  [[nodiscard]] std::string head(std::string_view body) const {
    json::Value creation{{"created", subject_.created}, {"creators", json::Value::array({"Tool: " + subject_.tool})}};
    if (!contents_.remarks.empty()) {
      creation["comment"] = base::join(contents_.remarks, "; ");
    }
    json::Value head{{"spdxVersion", "SPDX-2.3"},
                     {"dataLicense", "CC0-1.0"},
                     {"SPDXID", document_id},
                     {"name", oci::to_familiar(repository()) + "@" + subject_.digest.text()},
                     {"creationInfo", std::move(creation)}};
    const auto hash = oci::Digest::of(json::to_compact_text(head) + std::string(body));
    head["documentNamespace"] =
        fmt::format("{}{}-{}", namespace_root, repository().repository, hash.encoded().substr(0, 32));
    auto text = json::to_compact_text(head);
    text.pop_back();
    return text;
  }

  [[nodiscard]] oci::Reference repository() const {
    return {.registry = subject_.repository.registry,
            .repository = subject_.repository.repository,
            .tag = {},
            .digest = {}};
  }

  void relate(std::string_view from, std::string_view how, std::string_view to) {
    relationships_.add({{"spdxElementId", from}, {"relationshipType", how}, {"relatedSpdxElement", to}});
  }

  void add_image() {
    std::vector<std::string_view> hashes;
    for (const auto& file : contents_.files) {
      hashes.push_back(file.checksums.sha1);
    }
    auto value = package_value(image_id, oci::to_familiar(repository()), subject_.digest.text(), hashes);
    value["primaryPackagePurpose"] = "CONTAINER";
    if (subject_.digest.is_sha256()) {
      value["checksums"] =
          json::Value::array({{{"algorithm", "SHA256"}, {"checksumValue", subject_.digest.encoded()}}});
    }
    value["externalRefs"] = purl_reference(
        {.type = "oci",
         .name_space = {},
         .name = base::to_lower(last_segment(subject_.repository.repository)),
         .version = subject_.digest.text(),
         .qualifiers = {{"arch", subject_.platform.architecture}, {"repository_url", repository().name()}}});
    packages_.add(value);
  }

  static std::string_view last_segment(std::string_view path) { return path.substr(path.rfind('/') + 1); }

  void add_system() {
    const auto& system = contents_.system;
    if (system.id.empty()) {
      return;
    }
    auto value = package_value(system_id, system.id, system.version_id, {});
    value["primaryPackagePurpose"] = "OPERATING-SYSTEM";
    if (!system.pretty_name.empty()) {
      value["description"] = system.pretty_name;
    }
    if (is_web_address(system.home_url)) {
      value["homepage"] = system.home_url;
    }
    packages_.add(value);
    relate(image_id, "CONTAINS", system_id);
  }

  void add_debian_packages() {
    std::vector<std::vector<std::string_view>> hashes(contents_.packages.size());
    for (const auto& file : contents_.files) {
      if (file.package) {
        hashes[*file.package].push_back(file.checksums.sha1);
      }
    }
    for (std::size_t i = 0; i < contents_.packages.size(); ++i) {
      add_debian_package(contents_.packages[i], hashes[i]);
    }
  }

  void add_debian_package(const DebianPackage& package, const std::vector<std::string_view>& hashes) {
    auto value = package_value(debian_id(package), package.name, package.version, hashes);
    if (!package.maintainer.empty()) {
      value["supplier"] = supplier(package.maintainer);
    }
    if (is_web_address(package.homepage)) {
      value["homepage"] = package.homepage;
    }
    value["sourceInfo"] =
        fmt::format("built from the Debian source package {} {}", package.source, package.source_version);
    value["externalRefs"] = purl_reference(package_url(package, contents_.system.id, contents_.system.version_id));
    packages_.add(value);
    relate(image_id, "CONTAINS", debian_id(package));
  }

  void add_go_programs() {
    for (const auto& [file, program] : contents_.go_programs) {
      const auto program_id = file_id(contents_.files[file]);
      if (program.is_old) {
        continue;
      }
      if (!program.main.path.empty()) {
        relate(program_id, "GENERATED_FROM", add_go_module(program.main));
      }
      relate(program_id, "STATIC_LINK", add_go_module(standard_library(program)));
      for (const auto& module : program.dependencies) {
        relate(program_id, "STATIC_LINK", add_go_module(module));
      }
    }
  }

  // Its id; a module that several programs have is added once.
  std::string add_go_module(const GoModule& module) {
    const auto whole_name = fmt::format("{} {} {} {}", module.path, module.version, module.sum, module.replaces);
    auto id = element_id("golang", module.path, whole_name);
    if (!go_modules_.insert(id).second) {
      return id;
    }
    auto value = package_value(id, module.path, module.version, {});
    auto source = module.sum.empty() ? std::string() : "go.sum " + module.sum;
    if (!module.replaces.empty()) {
      source += (source.empty() ? "" : ", ") + ("in place of " + module.replaces);
    }
    if (!source.empty()) {
      value["sourceInfo"] = source;
    }
    value["externalRefs"] = purl_reference(go_module_url(module.path, module.version));
    packages_.add(value);
    return id;
  }

  void add_files() {
    for (std::size_t i = 0; i < contents_.files.size(); ++i) {
      const auto& file = contents_.files[i];
      const auto id = file_id(file);
      files_.add(file_value(file, id, contents_.go_programs.find(i)));
      relate(file.package ? debian_id(contents_.packages[*file.package]) : std::string(image_id), "CONTAINS", id);
    }
  }

  json::Value file_value(const FileRecord& file, const std::string& id,
                         std::map<std::size_t, GoBuildInfo>::const_iterator program) const {
    json::Value value{{"SPDXID", id}, {"fileName", "./" + file.path}};
    if (file.is_elf) {
      value["fileTypes"] = json::Value::array({"BINARY"});
    }
    value["checksums"] = json::Value::array({{{"algorithm", "SHA1"}, {"checksumValue", file.checksums.sha1}},
                                             {{"algorithm", "SHA256"}, {"checksumValue", file.checksums.sha256}}});
    value["comment"] = fmt::format("{} bytes", file.size) +
                       (program == contents_.go_programs.end() ? "" : unknown_modules(program->second));
    return value;
  }

  // What a Go program does not tell; empty when it tells all.
  static std::string unknown_modules(const GoBuildInfo& program) {
    if (program.is_old) {
      return ", a Go program from before Go 1.18: its modules are not known";
    }
    return program.main.path.empty()
               ? ", a Go program built without modules" + (program.package.empty() ? "" : " from " + program.package)
               : "";
  }

  const ImageContents& contents_;
  const SpdxSubject& subject_;
  ElementList packages_;
  ElementList files_;
  ElementList relationships_;
  std::set<std::string> go_modules_;
};

}  // namespace

std::string spdx_document(const ImageContents& contents, const SpdxSubject& subject) {
  return SpdxWriter(contents, subject).document();
}

}  // namespace deployctl::sbom
