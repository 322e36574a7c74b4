// A file system in memory: a map from absolute paths to texts, and symbolic links.
#pragma once

#include "core/io/file_system.hpp"

#include <map>
#include <set>
#include <string>

namespace deployctl::tests {

class MemoryFiles : public io::FileSystem {
 public:
  void put(const std::string& path, std::string content) { files_.insert_or_assign(path, std::move(content)); }
  void link(const std::string& path, const std::string& to) { links_.insert_or_assign(path, to); }
  [[nodiscard]] const std::map<std::string, std::string>& all() const { return files_; }

  base::Result<std::string> read(const std::string& path, std::uint64_t limit) const override {
    const auto found = files_.find(resolve(path));
    if (found == files_.end()) {
      return base::Error::not_found("there is no {}", path);
    }
    if (found->second.size() > limit) {
      return base::Error::failed("{} is larger than {} bytes", path, limit);
    }
    return found->second;
  }
  io::FileInfo stat(const std::string& path) const override {
    const auto real = resolve(path);
    if (files_.contains(real)) {
      return {.kind = io::FileKind::regular, .size = files_.at(real).size(), .mode = 0644};
    }
    return {.kind = is_directory(real) ? io::FileKind::directory : io::FileKind::none, .size = 0, .mode = 0755};
  }
  base::Result<std::vector<std::string>> list(const std::string& path) const override {
    const auto folder = resolve(path) + "/";
    std::set<std::string> names;
    for (const auto& [file, content] : files_) {
      if (file.starts_with(folder)) {
        names.insert(file.substr(folder.size(), file.find('/', folder.size()) - folder.size()));
      }
    }
    if (names.empty()) {
      return base::Error::not_found("there is no {}", path);
    }
    return std::vector<std::string>(names.begin(), names.end());
  }
  base::Status write(const std::string& path, std::string_view content, io::Permissions /*permissions*/) override {
    put(resolve(path), std::string(content));
    return {};
  }
  base::Status make_directory(const std::string& /*path*/, io::Permissions /*permissions*/) override { return {}; }
  base::Status remove(const std::string& path) override {
    files_.erase(path);
    return {};
  }
  base::Status remove_tree(const std::string& path) override {
    std::erase_if(files_, [&](const auto& file) { return file.first.starts_with(path + "/"); });
    return {};
  }
  base::Result<std::string> make_temporary_directory(const std::string& /*parent*/) override {
    return std::string("/tmp/x");
  }
  base::Result<std::string> canonical(const std::string& path) const override {
    if (stat(path).kind == io::FileKind::none) {
      return base::Error::not_found("there is no {}", path);
    }
    return resolve(path);
  }
  [[nodiscard]] std::string current_directory() const override { return "/"; }

 private:
  [[nodiscard]] bool is_directory(const std::string& path) const {
    const auto next = files_.lower_bound(path + "/");
    return next != files_.end() && next->first.starts_with(path + "/");
  }
  // The path with every link in it followed.
  [[nodiscard]] std::string resolve(const std::string& path) const {
    for (const auto& [link, to] : links_) {
      if (path == link || path.starts_with(link + "/")) {
        return resolve(to + path.substr(link.size()));
      }
    }
    return path;
  }

  std::map<std::string, std::string> files_;
  std::map<std::string, std::string> links_;
};

}  // namespace deployctl::tests
