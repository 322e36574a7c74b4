// What has been given out cannot be taken back, so a transfer that broke is continued at its byte: by a Range where
// the registry heeds it, else by skipping what is known of a second transfer. The hash runs over all that was given
// out, whatever transfer it came from, and so vouches for the whole.
#include "core/registry/pull.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/oci/byte_pipe.hpp"
#include "core/oci/gzip.hpp"

#include <thread>

namespace deployctl::registry {
namespace {

using base::Error;
using base::Result;
using base::Status;

// A transfer that brought so much that was new, or brought some of it for so long, before it broke does not count as
// a failed attempt. One that brought next to nothing always does, however long it took: it may never end otherwise.
constexpr std::uint64_t progress_that_counts = 1u << 20u;
constexpr std::chrono::seconds time_that_counts{60};
constexpr std::uint64_t least_in_that_time = 60u << 10u;
constexpr std::uint64_t slowest_transfer = 1u << 10u;  // bytes a second

// The first byte's place in "bytes 100-199/200".
std::optional<std::uint64_t> start_of_range(const http::Response& response) {
  const auto text = base::to_lower(response.headers.get("Content-Range").value_or(""));
  if (!text.starts_with("bytes ")) {
    return std::nullopt;
  }
  const auto start = base::parse_integer(base::trim(base::split_once(std::string_view(text).substr(6), '-').first));
  return start && *start >= 0 ? std::optional(static_cast<std::uint64_t>(*start)) : std::nullopt;
}

class Download {
 public:
  Download(Session& session, const oci::Descriptor& blob, const oci::PieceSink& sink)
      : session_(session), blob_(blob), sink_(sink) {}

  Status run(std::stop_token stop);

 private:
  Result<http::Response> transfer(std::stop_token stop);
  Status begin(const http::Response& response);
  Status take(std::string_view piece);
  Status check_complete();
  Status check_pace(std::size_t bytes);
  Status give_out(std::string_view piece);
  [[nodiscard]] Error too_long() const;
  [[nodiscard]] Error explained(Error error) const;
  [[nodiscard]] std::string doing() const { return fmt::format("fetch blob {} from", blob_.digest.brief()); }

  Session& session_;
  const oci::Descriptor& blob_;
  const oci::PieceSink& sink_;
  oci::Hasher hasher_;
  std::uint64_t received_ = 0;  // and given out
  std::uint64_t skip_ = 0;      // of this transfer: known already
  std::string encoding_;        // that the answer says it is in
  io::SteadyTime counted_since_;
  std::uint64_t counted_ = 0;  // bytes that came since then
};

Status Download::run(std::stop_token stop) {
  for (int attempt = 1;; ++attempt) {
    const auto before = received_;
    const auto began = session_.now();
    const auto response = transfer(stop);
    if (response && !response->is_success()) {
      return session_.refused(*response, doing());
    }
    if (!response && response.error().code != base::ErrorCode::unreachable) {
      return response.error();
    }
    if (received_ == blob_.size) {
      return check_complete();
    }
    const bool has_got_on = received_ - before >= progress_that_counts ||
                            (received_ > before + least_in_that_time && session_.now() - began >= time_that_counts);
    attempt = has_got_on ? 1 : attempt;
    const auto reason = response ? fmt::format("the answer ended after {} of {} bytes", received_, blob_.size)
                                 : response.error().message;
    if (!session_.wait_before_retry(attempt, reason, stop)) {
      return stop.stop_requested() ? Error::interrupted()
                                   : Error::unreachable("cannot fetch blob {} from {}/{}: {}", blob_.digest.brief(),
                                                        session_.registry(), session_.repository(), reason);
    }
  }
}

Result<http::Response> Download::transfer(std::stop_token stop) {
  Call call{.method = "GET", .url = session_.url("blobs/" + blob_.digest.text())};
  if (received_ > 0) {
    call.headers.set("Range", fmt::format("bytes={}-", received_));
  }
  call.sink = {.on_headers = [this](const http::Response& response) { return begin(response); },
               .on_body = [this](std::string_view piece) { return take(piece); }};
  auto answer = session_.send(std::move(call), stop);
  return answer ? Result<http::Response>(std::move(answer->response)) : answer.error();
}

Status Download::begin(const http::Response& response) {
  if (!response.is_success()) {
    return {};
  }
  if (response.status == 206 && start_of_range(response) != received_) {
    return Error::failed("{} answered with another part of blob {} than it was asked for", session_.registry(),
                         blob_.digest.brief());
  }
  counted_since_ = session_.now();
  counted_ = 0;
  skip_ = response.status == 206 ? 0 : received_;
  encoding_ = response.headers.get("Content-Encoding").value_or("");
  const auto length = base::parse_integer(base::trim(response.headers.get("Content-Length").value_or("")));
  const auto expected = static_cast<long long>(blob_.size - received_ + skip_);
  if (length && *length != expected) {
    return explained(Error::failed("{} holds blob {} with {} bytes instead of {}", session_.registry(),
                                   blob_.digest.brief(), *length, expected));
  }
  return {};
}

// One who sends a byte now and then would keep us for ever.
Status Download::check_pace(std::size_t bytes) {
  counted_ += bytes;
  const auto now = session_.now();
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - counted_since_);
  if (passed < session_.longest_stall()) {
    return {};
  }
  if (counted_ * 1'000 < slowest_transfer * static_cast<std::uint64_t>(passed.count())) {
    return Error::unreachable("{} sends too slowly: {} bytes in {}", session_.registry(), counted_,
                              base::human_duration(passed));
  }
  counted_since_ = now;
  counted_ = 0;
  return {};
}

// The time that the receiver takes is not the registry's.
Status Download::give_out(std::string_view piece) {
  const auto began = session_.now();
  auto taken = sink_(piece);
  counted_since_ += session_.now() - began;
  return taken;
}

Status Download::take(std::string_view piece) {
  if (const auto in_time = check_pace(piece.size()); !in_time) {
    return in_time;
  }
  const auto known = std::min<std::uint64_t>(skip_, piece.size());
  skip_ -= known;
  piece.remove_prefix(static_cast<std::size_t>(known));
  if (piece.size() > blob_.size - received_) {
    return too_long();
  }
  if (piece.empty()) {
    return {};
  }
  hasher_.add(piece);
  received_ += piece.size();
  return give_out(piece);
}

Error Download::too_long() const {
  return explained(Error::failed("{} sends more than the {} bytes of blob {}", session_.registry(), blob_.size,
                                 blob_.digest.brief()));
}

// The digest is of the bytes as they are stored. Some registries name the blob's own compression as the encoding, so
// that alone is no reason to refuse an answer.
Error Download::explained(Error error) const {
  return encoding_.empty() ? error
                           : error.with_hint("something on the way may have compressed it: the answer says {}",
                                             "Content-Encoding: " + base::printable(encoding_.substr(0, 100)));
}

Status Download::check_complete() {
  if (hasher_.digest() == blob_.digest) {
    return {};
  }
  return explained(Error::failed("blob {} from {}/{} arrived damaged: its bytes are not those of {}",
                                 blob_.digest.brief(), session_.registry(), session_.repository(),
                                 blob_.digest.text()));
}

class RemoteBody final : public http::Body {
 public:
  RemoteBody(Session& session, oci::Descriptor blob, std::stop_token stop)
      : session_(session), blob_(std::move(blob)), stop_(std::move(stop)) {}
  ~RemoteBody() override { end(); }

  [[nodiscard]] std::uint64_t size() const override { return blob_.size; }

  Status rewind() override {
    end();
    return {};
  }

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    if (!transfer_) {
      transfer_ = std::make_unique<Transfer>(session_, blob_, stop_);
    }
    return transfer_->pipe.read(buffer, size);
  }

 private:
  // The fetching thread and what it has fetched ahead.
  struct Transfer {
    Transfer(Session& session, const oci::Descriptor& blob, const std::stop_token& outer)
        : pass_on(outer, [this] { stop.request_stop(); }), thread([this, &session, &blob] {
            const auto fetched = fetch_blob(
                session, blob,
                [this](std::string_view piece) -> Status {
                  return pipe.write(piece) ? Status() : Error::failed("the blob is not wanted any more");
                },
                stop.get_token());
            pipe.close_writer(fetched);
          }) {}
    ~Transfer() {
      stop.request_stop();
      pipe.close_reader();
    }

    oci::BytePipe pipe{256u << 10u};
    std::stop_source stop;
    std::stop_callback<std::function<void()>> pass_on;
    std::jthread thread;  // last: the rest must outlive it
  };

  void end() { transfer_.reset(); }

  Session& session_;
  oci::Descriptor blob_;
  std::stop_token stop_;
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace

Status fetch_blob(Session& session, const oci::Descriptor& blob, const oci::PieceSink& sink, std::stop_token stop) {
  if (!blob.digest.is_sha256()) {
    return Error::failed("deployctl cannot check the bytes of {}: it knows sha256 only", blob.digest.text());
  }
  return Download(session, blob, sink).run(stop);
}

std::shared_ptr<http::Body> remote_body(Session& session, const oci::Descriptor& blob, std::stop_token stop) {
  return std::make_shared<RemoteBody>(session, blob, std::move(stop));
}

}  // namespace deployctl::registry
