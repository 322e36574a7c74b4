// A small honest FileSystem in memory: folders are there because files are, or because they were made. No links.
#pragma once

#include "core/io/file_system.hpp"

#include <fmt/core.h>

#include <map>
#include <set>
#include <string>
#include <utility>

namespace deployctl::tests {

// Path to content.
using Files = std::map<std::string, std::string>;

class MemoryFileSystem : public io::FileSystem {
 public:
  MemoryFileSystem() = default;
  explicit MemoryFileSystem(Files files, std::string current = "/project") : current_(std::move(current)) {
    for (auto& [path, content] : files) {
      put(path, std::move(content));
    }
  }

  // A file without going through write().
  void put(const std::string& path, std::string content, std::uint32_t mode = 0644) {
    add_folders(io::parent_path(path));
    files_[path] = {std::move(content), mode};
  }
  [[nodiscard]] bool has(const std::string& path) const { return files_.contains(path); }
  [[nodiscard]] std::string content(const std::string& path) const {
    const auto found = files_.find(path);
    return found == files_.end() ? "" : found->second.content;
  }

  base::Result<std::string> read(const std::string& path, std::uint64_t limit) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) {
      return folders_.contains(path) ? base::Error::failed("'{}' is a directory", path)
                                     : base::Error::not_found("there is no '{}'", path);
    }
    if (found->second.content.size() > limit) {
      return base::Error::failed("'{}' is larger than {} bytes", path, limit);
    }
    return found->second.content;
  }

  io::FileInfo stat(const std::string& path) const override {
    if (const auto found = files_.find(path); found != files_.end()) {
      return {io::FileKind::regular, found->second.content.size(), found->second.mode};
    }
    return {folders_.contains(path) ? io::FileKind::directory : io::FileKind::none, 0, 0755};
  }

  base::Result<std::vector<std::string>> list(const std::string& path) const override {
    if (!folders_.contains(path)) {
      return base::Error::not_found("there is no directory '{}'", path);
    }
    const auto prefix = path == "/" ? path : path + "/";
    std::set<std::string> names;
    const auto add = [&](const std::string& each) {
      if (each.size() > prefix.size() && each.starts_with(prefix)) {
        const auto rest = each.substr(prefix.size());
        names.insert(rest.substr(0, rest.find('/')));
      }
    };
    for (const auto& file : files_) {
      add(file.first);
    }
    for (const auto& folder : folders_) {
      add(folder);
    }
    return std::vector<std::string>(names.begin(), names.end());
  }

  base::Status write(const std::string& path, std::string_view content, io::Permissions permissions) override {
    put(path, std::string(content), static_cast<std::uint32_t>(permissions));
    return {};
  }
  base::Status make_directory(const std::string& path, io::Permissions /*permissions*/) override {
    add_folders(path);
    return {};
  }
  base::Status remove(const std::string& path) override {
    if (files_.erase(path) == 0) {
      return base::Error::not_found("there is no '{}'", path);
    }
    return {};
  }
  base::Status remove_tree(const std::string& path) override {
    std::erase_if(files_, [&](const auto& file) { return file.first.starts_with(path + "/"); });
    std::erase_if(folders_, [&](const auto& folder) { return folder == path || folder.starts_with(path + "/"); });
    return {};
  }
  base::Result<std::string> make_temporary_directory(const std::string& parent = {}) override {
    const auto path = io::join_path(parent.empty() ? "/tmp" : parent, fmt::format("temporary-{}", ++temporary_));
    add_folders(path);
    return path;
  }
  base::Result<std::string> canonical(const std::string& path) const override {
    auto whole = io::join_path(current_, path);
    if (stat(whole).kind == io::FileKind::none) {
      return base::Error::not_found("there is no '{}'", path);
    }
    return whole;
  }
  [[nodiscard]] std::string current_directory() const override { return current_; }

 private:
  struct File {
    std::string content;
    std::uint32_t mode = 0644;
  };

  void add_folders(const std::string& path) {
    for (auto folder = path; folders_.insert(folder).second; folder = io::parent_path(folder)) {
    }
  }

  std::map<std::string, File> files_;
  std::set<std::string> folders_ = {"/"};
  std::string current_ = "/project";
  int temporary_ = 0;
};

}  // namespace deployctl::tests
