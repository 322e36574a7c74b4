// Works on a stream block by block, several blocks at once, and gives the results out in the stream's order.
//
// Blocks are cut by size alone, so that neither the number of threads nor their luck shows in what comes out. A stream
// of a single block starts no thread. Memory: two blocks for each thread, and their results.
#pragma once

#include "core/base/result.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace deployctl::oci {

// What becomes of a block. Called from any thread, for several blocks at once.
using BlockWork = std::function<base::Result<std::string>(std::string_view block, bool is_last)>;

class BlockPipeline {
 public:
  // `sink` gets the results, from any thread but one at a time and in order.
  BlockPipeline(std::size_t block_bytes, BlockWork work, std::function<base::Status(std::string_view)> sink);
  // Ends the threads; what was not finished is dropped.
  ~BlockPipeline();
  BlockPipeline(const BlockPipeline&) = delete;
  BlockPipeline& operator=(const BlockPipeline&) = delete;

  // Waits while too much is under way. The error of any block or of the sink ends the stream here.
  base::Status add(std::string_view piece);
  // Waits for everything; nothing may be added afterwards. There is always a last block, an empty one if need be.
  base::Status finish();

 private:
  struct Block {
    std::size_t place = 0;
    std::string bytes;
    bool is_last = false;
  };

  base::Status hand_over(bool is_last);
  void start_threads();
  void work_on_blocks();
  // Gives the result out, and those after it that were waiting for it.
  void deliver(std::size_t place, base::Result<std::string> result);

  const std::size_t block_bytes_;
  BlockWork work_;
  std::function<base::Status(std::string_view)> sink_;
  std::string block_;  // that is being filled
  std::size_t handed_over_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Block> waiting_;  // oldest first
  std::map<std::size_t, std::string> results_;
  std::size_t delivered_ = 0;
  bool is_delivering_ = false;
  bool is_closed_ = false;
  base::Status status_;
  std::vector<std::jthread> threads_;
};

}  // namespace deployctl::oci
