#include "core/oci/block_pipeline.hpp"

#include <algorithm>

namespace deployctl::oci {
namespace {

using base::Result;
using base::Status;

constexpr unsigned most_threads = 8;

std::size_t thread_count() {
  return std::clamp(std::thread::hardware_concurrency(), 1U, most_threads);
}

}  // namespace

BlockPipeline::BlockPipeline(std::size_t block_bytes, BlockWork work, std::function<Status(std::string_view)> sink)
    : block_bytes_(block_bytes), work_(std::move(work)), sink_(std::move(sink)) {}

BlockPipeline::~BlockPipeline() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  threads_.clear();
}

Status BlockPipeline::add(std::string_view piece) {
  while (!piece.empty()) {
    // A full block goes on its way only when there is more: the last one has to be known as the last.
    if (block_.size() == block_bytes_) {
      if (const auto handed_over = hand_over(false); !handed_over) {
        return handed_over;
      }
    }
    block_.reserve(std::min(block_bytes_, block_.size() + piece.size()));
    const auto count = std::min(piece.size(), block_bytes_ - block_.size());
    block_.append(piece.substr(0, count));
    piece.remove_prefix(count);
  }
  return {};
}

Status BlockPipeline::finish() {
  if (handed_over_ == 0) {
    const auto result = work_(block_, true);
    return result ? sink_(*result) : result.error();
  }
  if (const auto handed_over = hand_over(true); !handed_over) {
    return handed_over;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !status_ || delivered_ == handed_over_; });
  return status_;
}

Status BlockPipeline::hand_over(bool is_last) {
  start_threads();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !status_ || handed_over_ - delivered_ < 2 * threads_.size(); });
  if (!status_) {
    return status_;
  }
  waiting_.push_back({.place = handed_over_++, .bytes = std::exchange(block_, {}), .is_last = is_last});
  lock.unlock();
  changed_.notify_all();
  return {};
}

void BlockPipeline::start_threads() {
  while (threads_.size() < thread_count()) {
    threads_.emplace_back([this] { work_on_blocks(); });
  }
}

void BlockPipeline::work_on_blocks() {
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_closed_ || !waiting_.empty(); });
    if (is_closed_) {
      return;
    }
    const auto block = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    lock.unlock();
    deliver(block.place, work_(block.bytes, block.is_last));
  }
}

void BlockPipeline::deliver(std::size_t place, Result<std::string> result) {
  std::unique_lock lock(mutex_);
  if (!result) {
    status_ = result.error();
    changed_.notify_all();
    return;
  }
  results_.emplace(place, std::move(*result));
  if (is_delivering_) {
    return;
  }
  is_delivering_ = true;
  while (status_) {
    auto next = results_.extract(delivered_);
    if (next.empty()) {
      break;
    }
    lock.unlock();
    auto sunk = sink_(next.mapped());
    lock.lock();
    ++delivered_;
    if (!sunk) {
      status_ = std::move(sunk);
    }
    changed_.notify_all();
  }
  is_delivering_ = false;
}

}  // namespace deployctl::oci
