// A few threads that take jobs from one bounded queue: what Go writes as goroutines reading from a buffered channel.
// For work that blocks, so that it does not hold up the threads that serve connections.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace store {

class WorkerPool {
 public:
  // A job is told the number of the thread it runs on, from 0. It must not throw.
  using Job = std::function<void(std::size_t worker)>;

  WorkerPool(std::size_t workers, std::size_t queue_limit);
  // Finishes the jobs that were taken, then stops.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when the queue is full: the job was not taken.
  [[nodiscard]] bool submit(Job job);

 private:
  void work(std::size_t worker);
  Job take();  // waits; empty when the pool is closing and nothing is left

  const std::size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  bool closing_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace store
