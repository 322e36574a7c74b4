// A docker archive is written as Docker does since version 25: an OCI layout with a manifest.json beside it, layers as
// the registry has them. Every `docker load` takes compressed layers, nothing has to be unpacked on the way, and the
// image keeps its digest when it is read again.
#include "core/images/export.hpp"

#include "core/base/text.hpp"
#include "core/images/progress.hpp"
#include "core/io/file_system.hpp"
#include "core/oci/blob_file.hpp"
#include "core/oci/image_store.hpp"
#include "core/oci/layout.hpp"
#include "core/oci/tar_writer.hpp"
#include "core/oci/temporary_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace deployctl::images {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::Result;
using base::Status;

// Everything that is to be written, each once.
struct Content {
  oci::Descriptor root;
  std::vector<Document> documents;
  std::vector<oci::Descriptor> blobs;
  const Image* only_image = nullptr;  // when it is a single one

  [[nodiscard]] std::uint64_t total_size() const {
    std::uint64_t total = 0;
    for (const auto& blob : blobs) {
      total += blob.size;
    }
    return total;
  }
};

void add_blobs(const Image& image, std::set<std::string>& known, Content& content) {
  const auto add = [&](const oci::Descriptor& blob) {
    if (known.insert(blob.digest.text()).second) {
      content.blobs.push_back(blob);
    }
  };
  add(image.manifest.config);
  std::ranges::for_each(image.manifest.layers, add);
}

Content content_of(const ImageSet& set) {
  Content content{.root = set.root.descriptor, .documents = {set.root}, .blobs = {}};
  std::set<std::string> known;
  for (const auto* images : {&set.images, &set.attestations}) {
    for (const auto& image : *images) {
      if (set.index) {
        content.documents.push_back(image.document);
      }
      add_blobs(image, known, content);
    }
  }
  std::ranges::copy(set.indexes, std::back_inserter(content.documents));
  content.only_image = set.index ? nullptr : &set.images.front();
  return content;
}

Content content_of(const Image& image) {
  Content content{.root = image.document.descriptor, .documents = {image.document}, .blobs = {}, .only_image = &image};
  std::set<std::string> known;
  add_blobs(image, known, content);
  return content;
}

bool takes_one(const Location& target, const std::optional<oci::Platform>& platform) {
  return target.kind == Location::Kind::docker_archive || platform.has_value();
}

Result<Content> chosen_content(const ImageSet& set, const Location& target,
                               const std::optional<oci::Platform>& platform) {
  if (!takes_one(target, platform)) {
    return content_of(set);
  }
  const auto image = choose_image(set, platform);
  return image ? Result<Content>(content_of(**image)) : image.error();
}

// Reads blobs and tells how far the whole is; from any thread.
class BlobCounter {
 public:
  BlobCounter(Source& source, const Content& content, const OnProgress& on_progress)
      : source_(source), count_(content.blobs.size()), meter_(on_progress, content.total_size()) {}

  Status copy(const oci::Descriptor& blob, const oci::PieceSink& sink) {
    const auto name = next_name(blob);
    return source_.blob(blob, [&](std::string_view piece) {
      add(name, piece.size());
      return sink(piece);
    });
  }

  void skip(const oci::Descriptor& blob) { add(next_name(blob), blob.size); }

  // After copy() has succeeded.
  void count(const oci::Descriptor& blob) {
    const std::scoped_lock lock(mutex_);
    ++exported_.blobs;
    exported_.bytes += blob.size;
  }

  [[nodiscard]] Exported exported(const oci::Descriptor& root) const {
    return {.root = root, .blobs = exported_.blobs, .bytes = exported_.bytes};
  }

 private:
  void add(const std::string& name, std::uint64_t bytes) {
    const std::scoped_lock lock(mutex_);
    meter_.add(name, bytes);
  }

  std::string next_name(const oci::Descriptor& blob) {
    const std::scoped_lock lock(mutex_);
    return fmt::format("blob {} ({} of {})", blob.digest.brief(), ++place_, count_);
  }

  Source& source_;
  std::size_t count_;
  std::mutex mutex_;
  std::size_t place_ = 0;
  ProgressMeter meter_;
  Exported exported_;
};

// An image on its way into a layout. What a failed one has written is taken away again, and a layout that was made for
// it as well.
class LayoutExport {
 public:
  LayoutExport(const Content& content, Source& source, std::string directory, const OnProgress& on_progress,
               std::stop_token stop)
      : content_(content),
        source_(source),
        directory_(std::move(directory)),
        stop_(std::move(stop)),
        counter_(source, content, on_progress) {}

  Result<Exported> run(const std::string& name);

 private:
  Status write(oci::Layout& layout, const std::string& name);
  Status write_blobs();
  void work();
  Status provide(const oci::Descriptor& blob);
  [[nodiscard]] bool has_whole(const oci::Descriptor& blob) const;
  Status write_blob(const oci::Descriptor& blob);
  Status write_documents();
  void wrote(const oci::Descriptor& blob);
  void take_back();

  const Content& content_;
  Source& source_;
  std::string directory_;
  std::stop_token stop_;
  BlobCounter counter_;
  oci::ImageStore store_{directory_};
  bool is_new_directory_ = false;
  bool is_new_layout_ = false;

  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> has_failed_ = false;
  std::mutex mutex_;
  Status outcome_;
  std::vector<oci::Digest> written_;
};

Result<Exported> LayoutExport::run(const std::string& name) {
  oci::remove_stale_files(directory_);
  oci::remove_stale_files(store_.blobs() + "/sha256");
  std::error_code problem;
  is_new_directory_ = !fs::exists(directory_, problem);
  is_new_layout_ = !fs::exists(directory_ + "/" + std::string(oci::layout_file), problem);
  auto layout = oci::Layout::open_or_make(directory_);
  if (!layout) {
    return layout.error();
  }
  const auto done = write(*layout, name);
  if (!done) {
    take_back();
    return done.error();
  }
  return counter_.exported(content_.root);
}

Status LayoutExport::write(oci::Layout& layout, const std::string& name) {
  if (const auto blobs = write_blobs(); !blobs) {
    return blobs;
  }
  const auto documents = write_documents();
  return documents ? layout.put(content_.root, name) : documents;
}

Status LayoutExport::write_blobs() {
  {
    std::vector<std::jthread> workers;
    const auto wanted = std::min(content_.blobs.size(), static_cast<std::size_t>(source_.readers()));
    for (std::size_t i = 1; i < wanted; ++i) {
      workers.emplace_back([this] { work(); });
    }
    work();
  }
  return outcome_;
}

void LayoutExport::work() {
  for (auto i = next_++; i < content_.blobs.size() && !has_failed_; i = next_++) {
    if (const auto provided = provide(content_.blobs[i]); !provided && !has_failed_.exchange(true)) {
      const std::scoped_lock lock(mutex_);
      outcome_ = provided;
    }
  }
}

Status LayoutExport::provide(const oci::Descriptor& blob) {
  if (!has_whole(blob)) {
    return stop_.stop_requested() ? Status(Error::interrupted()) : write_blob(blob);
  }
  counter_.skip(blob);
  return {};
}

// A blob of the right size may still be damaged.
bool LayoutExport::has_whole(const oci::Descriptor& blob) const {
  return store_.has_blob(blob) &&
         oci::read_blob_file(
             store_.blob_path(blob.digest), blob, [](std::string_view) { return Status(); }, stop_);
}

Status LayoutExport::write_blob(const oci::Descriptor& blob) {
  auto writer = store_.new_blob();
  if (!writer) {
    return writer.error();
  }
  const auto copied = counter_.copy(
      blob, [&](std::string_view piece) { return has_failed_ ? Status(Error::interrupted()) : writer->write(piece); });
  const auto kept = copied ? writer->keep(blob.media_type) : Result<oci::Descriptor>(copied.error());
  if (!kept) {
    return kept.error();
  }
  wrote(*kept);
  counter_.count(blob);
  return {};
}

Status LayoutExport::write_documents() {
  for (const auto& document : content_.documents) {
    if (has_whole(document.descriptor)) {
      continue;
    }
    const auto added = store_.add_blob(document.bytes, document.descriptor.media_type);
    if (!added) {
      return added.error();
    }
    wrote(*added);
  }
  return {};
}

void LayoutExport::wrote(const oci::Descriptor& blob) {
  const std::scoped_lock lock(mutex_);
  written_.push_back(blob.digest);
}

void LayoutExport::take_back() {
  std::error_code problem;
  for (const auto& digest : written_) {
    fs::remove(store_.blob_path(digest), problem);
  }
  if (!is_new_layout_) {
    return;
  }
  // Directories go only when they are empty: what others have put there stays.
  for (const auto* path : {"/blobs/sha256", "/blobs", "/index.json", "/oci-layout"}) {
    fs::remove(directory_ + path, problem);
  }
  if (is_new_directory_) {
    fs::remove(directory_, problem);
  }
}

std::string blob_entry(const oci::Digest& digest) {
  return fmt::format("blobs/{}/{}", digest.algorithm(), digest.encoded());
}

// What old Docker reads: where in the archive the configuration and the layers are.
std::string docker_listing(const Image& image, const std::string& name) {
  auto layers = json::Value::array();
  for (const auto& layer : image.manifest.layers) {
    layers.push_back(blob_entry(layer.digest));
  }
  auto tags = name.empty() ? json::Value(nullptr) : json::Value::array({name});
  return json::to_compact_text(json::Value::array(
      {{{"Config", blob_entry(image.manifest.config.digest)}, {"RepoTags", tags}, {"Layers", layers}}}));
}

class ArchiveWriter {
 public:
  explicit ArchiveWriter(oci::TemporaryFile& file)
      : tar_([&file](std::string_view piece) { return file.write(piece); }) {}

  Status add_directory(const std::string& path) {
    return tar_.begin({.kind = oci::TarHeader::Kind::directory, .path = path, .mode = 0755});
  }

  Status add_file(const std::string& path, std::string_view content) {
    const auto begun = tar_.begin({.path = path, .size = content.size()});
    return begun ? tar_.write(content) : begun;
  }

  Status add_blob(const oci::Descriptor& blob, BlobCounter& counter) {
    const auto begun = tar_.begin({.path = blob_entry(blob.digest), .size = blob.size});
    const auto copied = begun ? counter.copy(blob, [&](std::string_view piece) { return tar_.write(piece); }) : begun;
    if (copied) {
      counter.count(blob);
    }
    return copied;
  }

  Status finish() { return tar_.finish(); }

 private:
  oci::TarWriter tar_;
};

Status write_entries(ArchiveWriter& archive, const Content& content, BlobCounter& counter) {
  for (const auto* const directory : {"blobs", "blobs/sha256"}) {
    if (const auto added = archive.add_directory(directory); !added) {
      return added;
    }
  }
  for (const auto& blob : content.blobs) {
    if (const auto added = archive.add_blob(blob, counter); !added) {
      return added;
    }
  }
  for (const auto& document : content.documents) {
    if (const auto added = archive.add_file(blob_entry(document.descriptor.digest), document.bytes); !added) {
      return added;
    }
  }
  return {};
}

Status write_listings(ArchiveWriter& archive, const Content& content, const Location& target, const std::string& name) {
  const oci::ImageIndex empty{.media_type = std::string(oci::media_type::image_index), .manifests = {}};
  const auto index = oci::index_bytes(oci::with_entry(empty, content.root, name));
  if (target.kind == Location::Kind::docker_archive) {
    if (const auto added = archive.add_file("manifest.json", docker_listing(*content.only_image, name)); !added) {
      return added;
    }
  }
  const auto added = archive.add_file(std::string(oci::layout_index_file), index);
  return added ? archive.add_file(std::string(oci::layout_file), oci::layout_file_content) : added;
}

Result<Exported> write_archive(const Content& content, Source& source, const Location& target, const std::string& name,
                               const OnProgress& on_progress) {
  oci::remove_stale_files(io::parent_path(target.path));
  auto file = oci::TemporaryFile::make(io::parent_path(target.path));
  if (!file) {
    return file.error();
  }
  ArchiveWriter archive(*file);
  BlobCounter counter(source, content, on_progress);
  auto written = write_entries(archive, content, counter);
  written = written ? write_listings(archive, content, target, name) : written;
  written = written ? archive.finish() : written;
  written = written ? file->rename_to(target.path) : written;
  return written ? Result<Exported>(counter.exported(content.root)) : written.error();
}

Status check_name(const std::string& name) {
  return name.starts_with('@') ? Status(Error::usage("an image is not exported under a digest: give it a name"))
                               : Status();
}

}  // namespace

Result<Exported> export_image(Source& source, const Location& target, const std::string& name,
                              const std::optional<oci::Platform>& platform, const OnProgress& on_progress,
                              std::stop_token stop) {
  const auto own_name = target.name.empty() ? name : target.name;
  if (const auto usable = check_name(own_name); !usable) {
    return usable.error();
  }
  const auto wanted = takes_one(target, platform) ? Wanted::those_there : Wanted::all;
  const auto set = read_images(source, Attestations::read, wanted);
  const auto content = set ? chosen_content(*set, target, platform) : Result<Content>(set.error());
  if (!content) {
    return content.error();
  }
  return target.kind == Location::Kind::layout
             ? LayoutExport(*content, source, target.path, on_progress, std::move(stop)).run(own_name)
             : write_archive(*content, source, target, own_name, on_progress);
}

}  // namespace deployctl::images
