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

  base::Status seek(std::uint64_t offset) override {
    at_ = static_cast<std::size_t>(std::min<std::uint64_t>(offset, bytes_.size()));
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

class PartialBody final : public Body {
 public:
  PartialBody(std::shared_ptr<Body> whole, std::uint64_t offset, std::uint64_t length)
      : whole_(std::move(whole)), offset_(offset), length_(length) {}

  [[nodiscard]] std::uint64_t size() const override { return length_; }
  base::Status rewind() override { return seek(0); }
  base::Status seek(std::uint64_t offset) override {
    at_ = std::min(offset, length_);
    return whole_->seek(offset_ + at_);
  }
  base::Result<std::size_t> read(char* buffer, std::size_t size) override {
    auto count = whole_->read(buffer, static_cast<std::size_t>(std::min<std::uint64_t>(size, length_ - at_)));
    at_ += count ? *count : 0;
    return count;
  }

 private:
  std::shared_ptr<Body> whole_;
  std::uint64_t offset_;
  std::uint64_t length_;
  std::uint64_t at_ = 0;
};

}  // namespace

base::Status Body::seek(std::uint64_t offset) {
  if (auto rewound = rewind(); !rewound) {
    return rewound;
  }
  std::string passed(static_cast<std::size_t>(std::min<std::uint64_t>(offset, 64u << 10u)), '\0');
  while (offset > 0) {
    const auto count = read(passed.data(), static_cast<std::size_t>(std::min<std::uint64_t>(passed.size(), offset)));
    if (!count) {
      return count.error();
    }
    if (*count == 0) {
      return base::Error::failed("what was to be sent became shorter");
    }
    offset -= *count;
  }
  return {};
}

std::shared_ptr<Body> part_of(std::shared_ptr<Body> whole, std::uint64_t offset, std::uint64_t length) {
  return std::make_shared<PartialBody>(std::move(whole), offset, length);
}

std::shared_ptr<Body> body_of(std::string bytes) {
  return std::make_shared<MemoryBody>(std::move(bytes));
}

}  // namespace deployctl::http
