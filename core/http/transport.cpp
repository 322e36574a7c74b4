#include "core/http/transport.hpp"

#include <algorithm>
#include <cstring>

namespace deployctl::http {
namespace {

class MemoryBody final : public Body {
 public:
  explicit MemoryBody(std::string bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }

  base::Status rewind() override {
    at_ = 0;
    return {};
  }

  base::Result<std::size_t> read(char* buffer, std::size_t size) override {
    const auto count = std::min(size, bytes_.size() - at_);
    std::memcpy(buffer, bytes_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace

std::shared_ptr<Body> body_of(std::string bytes) {
  return std::make_shared<MemoryBody>(std::move(bytes));
}

}  // namespace deployctl::http
