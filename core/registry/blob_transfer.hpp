// Many blobs into one repository, several at once.
#pragma once

#include "core/registry/blob_upload.hpp"

#include <mutex>
#include <vector>

namespace deployctl::registry {

// Adds up what the parts of a push tell, each from its own thread.
class ProgressSum {
 public:
  ProgressSum(const std::function<void(const Progress&)>& tell, std::uint64_t total) : tell_(tell), total_(total) {}

  // A part is `now` far that was `last` far; `last` is brought up to date.
  void moved(const std::string& what, std::uint64_t& last, std::uint64_t now);
  // A part of that size is there.
  void has(const std::string& what, std::uint64_t size);

 private:
  const std::function<void(const Progress&)>& tell_;
  std::mutex mutex_;
  std::uint64_t done_ = 0;
  std::uint64_t total_;
};

struct TransferOptions {
  int parallel = 1;
  ProgressSum* progress = nullptr;
  std::stop_token stop;
};

struct TransferTotals {
  int uploaded_blobs = 0;
  int mounted_blobs = 0;
  std::uint64_t uploaded_bytes = 0;
};

// Until the registry has all of them. The first that fails stops the others, and its error is returned.
base::Result<TransferTotals> upload_all(Session& session, const std::vector<BlobUpload>& uploads,
                                        const TransferOptions& options);

}  // namespace deployctl::registry
