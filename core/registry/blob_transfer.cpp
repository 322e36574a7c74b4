#include "core/registry/blob_transfer.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

class Transfer {
 public:
  Transfer(Session& session, const std::vector<BlobUpload>& uploads, const TransferOptions& options)
      : session_(session), uploads_(uploads), options_(options) {}

  Result<TransferTotals> run();

 private:
  void work();
  Status upload_one(const BlobUpload& upload);
  void count(const BlobUpload& upload, Uploaded how);
  void fail(const Error& error);

  Session& session_;
  const std::vector<BlobUpload>& uploads_;
  const TransferOptions& options_;
  std::stop_source ours_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::optional<Error> first_error_;
  TransferTotals totals_;
};

Result<TransferTotals> Transfer::run() {
  const std::stop_callback pass_on(options_.stop, [this] { ours_.request_stop(); });
  {
    std::vector<std::jthread> workers;
    const auto wanted = std::min(uploads_.size(), static_cast<std::size_t>(std::max(options_.parallel, 1)));
    for (std::size_t i = 1; i < wanted; ++i) {
      workers.emplace_back([this] { work(); });
    }
    work();
  }
  return first_error_ ? Result<TransferTotals>(*first_error_) : totals_;
}

void Transfer::work() {
  for (auto i = next_++; i < uploads_.size(); i = next_++) {
    if (ours_.stop_requested()) {
      return fail(Error::interrupted());
    }
    if (const auto done = upload_one(uploads_[i]); !done) {
      return fail(done.error());
    }
  }
}

Status Transfer::upload_one(const BlobUpload& one) {
  std::uint64_t counted = 0;
  const BlobProgress on_sent = [&](std::uint64_t sent) {
    if (options_.progress != nullptr) {
      options_.progress->moved(one.name, counted, sent);
    }
  };
  const auto uploaded = upload(session_, one, on_sent, ours_.get_token());
  if (!uploaded) {
    return uploaded.error();
  }
  on_sent(one.blob.size);
  count(one, *uploaded);
  return {};
}

void Transfer::count(const BlobUpload& one, Uploaded how) {
  const std::scoped_lock lock(mutex_);
  totals_.uploaded_blobs += how == Uploaded::yes ? 1 : 0;
  totals_.mounted_blobs += how == Uploaded::mounted ? 1 : 0;
  totals_.uploaded_bytes += how == Uploaded::yes ? one.blob.size : 0;
}

void Transfer::fail(const Error& error) {
  {
    const std::scoped_lock lock(mutex_);
    if (!first_error_) {
      first_error_ = error;
    }
  }
  ours_.request_stop();
}

}  // namespace

void ProgressSum::moved(const std::string& what, std::uint64_t& last, std::uint64_t now) {
  const std::scoped_lock lock(mutex_);
  done_ = done_ - last + now;
  last = now;
  if (tell_) {
    tell_({.what = what, .done = std::min(done_, total_), .total = total_});
  }
}

void ProgressSum::has(const std::string& what, std::uint64_t size) {
  std::uint64_t none = 0;
  moved(what, none, size);
}

Result<TransferTotals> upload_all(Session& session, const std::vector<BlobUpload>& uploads,
                                  const TransferOptions& options) {
  return Transfer(session, uploads, options).run();
}

}  // namespace deployctl::registry
