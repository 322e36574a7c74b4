// The lists of header fields and all callbacks point into the Call, which lives on the stack of send().
#include "core/platform/curl_transport.hpp"

#include "core/base/duration.hpp"
#include "core/base/text.hpp"
#include "core/platform/answer_builder.hpp"
#include "core/platform/curl_errors.hpp"
#include "core/platform/curl_library.hpp"
#include "core/platform/curl_line.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace deployctl::platform {
namespace {

using base::Error;
using base::Result;
using base::Status;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr long upload_buffer_bytes = 64L << 10;  // of each connection, and there may be 32
constexpr long receive_buffer_bytes = 64L << 10;
constexpr std::uint64_t most_sent_into_a_closed_connection = 256u << 10u;

class HeaderList {
 public:
  explicit HeaderList(const CurlLibrary& curl) : curl_(curl) {}
  ~HeaderList() { curl_.slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  void add(const std::string& line) { list_ = curl_.slist_append(list_, line.c_str()); }
  [[nodiscard]] curl_slist* get() const { return list_; }

 private:
  const CurlLibrary& curl_;
  curl_slist* list_ = nullptr;
};

// One request on its way, and what has come back so far.
class Call {
 public:
  Call(CurlLine& line, const http::Request& request, const http::Exchange& exchange, const CurlOptions& options)
      : line_(line),
        curl_(line.curl),
        request_(request),
        exchange_(exchange),
        options_(options),
        header_list_(line.curl),
        connect_to_(line.curl),
        answer_(request, exchange) {}

  Result<http::Response> run();
  // Whether the connection may serve another call; an abandoned one has been closed by libcurl anyway.
  [[nodiscard]] bool is_clean() const { return clean_; }

 private:
  using Moment = steady_clock::time_point;

  template <typename Value>
  void set(CURLoption option, Value value) {
    const auto code = curl_.easy_setopt(line_.easy, option, value);
    if (code != CURLE_OK && setup_) {
      setup_ = Error::failed("libcurl refuses option {}: {}", static_cast<int>(option), curl_.easy_strerror(code));
    }
  }
  void set_blob(CURLoption option, const std::string& bytes);

  Status prepare();
  void set_address();
  void set_tls();
  void set_method();
  void set_headers();
  void set_callbacks();

  Status perform();
  void look_at_the_kernel();
  Status wait();
  [[nodiscard]] milliseconds time_left() const;
  [[nodiscard]] Status check_deadlines() const;
  Result<http::Response> finish(CURLcode code);
  [[nodiscard]] Error failure(CURLcode code) const;
  [[nodiscard]] std::string proxy_name() const;  // without its password; empty when there is none
  bool take_header(std::string_view line);
  bool end_headers();
  bool take_body(std::string_view piece);
  std::size_t give_body(char* buffer, std::size_t size);
  bool refuse(Error error);
  void moved() { last_move_ = steady_clock::now(); }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);

  CurlLine& line_;
  const CurlLibrary& curl_;
  const http::Request& request_;
  const http::Exchange& exchange_;
  const CurlOptions& options_;
  HeaderList header_list_;
  HeaderList connect_to_;
  std::array<char, CURL_ERROR_SIZE> words_{};
  Status setup_;

  AnswerBuilder answer_;
  std::size_t header_bytes_ = 0;
  std::optional<Error> refusal_;
  std::uint64_t sent_ = 0;
  int unsent_ = 0;  // bytes that the kernel holds
  Moment started_ = steady_clock::now();
  Moment last_move_ = started_;
  bool clean_ = false;
};

void Call::set_blob(CURLoption option, const std::string& bytes) {
  if (!bytes.empty()) {
    curl_blob blob{const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_COPY};
    set(option, &blob);
  }
}

Status Call::prepare() {
  curl_.easy_reset(line_.easy);
  set(CURLOPT_ERRORBUFFER, words_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, 30L);
  set(CURLOPT_TCP_KEEPINTVL, 10L);
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_BUFFERSIZE, receive_buffer_bytes);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.timeouts.connect.count()));
  set_address();
  set_tls();
  set_method();
  set_headers();
  set_callbacks();
  return setup_;
}

// A server name other than the URL's host goes into the URL, where SNI and verification take it from; the connection
// goes to the real host, whose name stays in the Host field.
void Call::set_address() {
  auto url = request_.url;
  url.userinfo.clear();
  const auto& name = line_.route.tls.server_name;
  if (!name.empty()) {
    connect_to_.add(fmt::format("::{}", peer_of(request_)));
    set(CURLOPT_CONNECT_TO, connect_to_.get());
    url.host = name;
  }
  set(CURLOPT_URL, base::to_string(url).c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROXY, line_.route.proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!request_.unix_socket.empty()) {
    set(CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
  }
}

void Call::set_tls() {
  const auto& tls = line_.route.tls;
  set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  set_blob(CURLOPT_CAINFO_BLOB, tls.ca_pem);
  if (!tls.ca_pem.empty()) {
    set(CURLOPT_CAPATH, nullptr);  // Debian's libcurl would take the system's authorities from there as well
  }
  set_blob(CURLOPT_SSLCERT_BLOB, tls.client_certificate_pem);
  set_blob(CURLOPT_SSLKEY_BLOB, tls.client_key_pem.reveal());
}

void Call::set_method() {
  const auto& method = request_.method;
  if (method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    return;
  }
  if (request_.body) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body->size()));
    set(CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer_bytes);
  } else if (method == "POST" || method == "PUT" || method == "PATCH") {
    // These say "Content-Length: 0" when they carry nothing (RFC 9110 section 8.6).
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(0));
    set(CURLOPT_POSTFIELDS, "");
  }
  set(CURLOPT_CUSTOMREQUEST, method.c_str());
}

void Call::set_headers() {
  const auto add = [&](std::string_view name, std::string_view value) {
    // libcurl takes "Name:" for "send no such field" and "Name;" for an empty one.
    header_list_.add(value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
  };
  for (const auto& [name, value] : request_.headers.fields()) {
    add(name, value);
  }
  if (!request_.headers.get("User-Agent")) {
    add("User-Agent", options_.user_agent);
  }
  if (!request_.headers.get("Content-Type")) {
    header_list_.add("Content-Type:");
  }
  if (!line_.route.tls.server_name.empty() && !request_.headers.get("Host")) {
    add("Host", request_.url.authority());
  }
  header_list_.add("Expect:");
  set(CURLOPT_HTTPHEADER, header_list_.get());
}

void Call::set_callbacks() {
  set(CURLOPT_HEADERFUNCTION, &Call::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Call::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_READFUNCTION, &Call::on_read);
  set(CURLOPT_READDATA, static_cast<void*>(this));
  set(CURLOPT_SEEKFUNCTION, &Call::on_seek);
  set(CURLOPT_SEEKDATA, static_cast<void*>(this));
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlLine::on_open);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(&line_));
  set(CURLOPT_CLOSESOCKETFUNCTION, &CurlLine::on_close);
  set(CURLOPT_CLOSESOCKETDATA, static_cast<void*>(&line_));
}

Result<http::Response> Call::run() {
  if (const auto ready = prepare(); !ready) {
    return ready.error();
  }
  if (request_.body) {
    if (const auto rewound = request_.body->rewind(); !rewound) {
      return rewound.error();
    }
  }
  const std::stop_callback wake_up(exchange_.stop, [this] { curl_.multi_wakeup(line_.multi); });
  curl_.multi_add_handle(line_.multi, line_.easy);
  const auto performed = perform();
  int queued = 0;
  const auto* message = curl_.multi_info_read(line_.multi, &queued);
  const auto code = message ? message->data.result : CURLE_OK;
  const bool is_complete = message != nullptr;
  auto answer =
      is_complete ? finish(code) : Result<http::Response>(performed ? failure(CURLE_RECV_ERROR) : performed.error());
  curl_.multi_remove_handle(line_.multi, line_.easy);
  clean_ = is_complete && code == CURLE_OK;
  return answer;
}

Status Call::perform() {
  int running = 1;
  while (true) {
    if (curl_.multi_perform(line_.multi, &running) != CURLM_OK) {
      return Error::failed("libcurl could not go on with the request to {}", peer_of(request_));
    }
    if (running == 0) {
      return {};
    }
    if (exchange_.stop.stop_requested()) {
      return Error::interrupted();
    }
    if (request_.body) {
      look_at_the_kernel();
    }
    if (const auto in_time = check_deadlines(); !in_time) {
      return in_time;
    }
    curl_.multi_poll(line_.multi, nullptr, 0, static_cast<int>(time_left().count()), nullptr);
  }
}

// What libcurl has handed over may be megabytes, which take their time on a slow line: they move as well.
void Call::look_at_the_kernel() {
  if (const auto unsent = line_.unsent(); unsent != unsent_) {
    unsent_ = unsent;
    moved();
  }
}

milliseconds Call::time_left() const {
  const auto now = steady_clock::now();
  auto deadline = last_move_ + request_.timeouts.stall;
  if (request_.timeouts.total) {
    deadline = std::min(deadline, started_ + *request_.timeouts.total);
  }
  const auto left = std::chrono::ceil<milliseconds>(deadline - now);
  return std::clamp(left, milliseconds(0), milliseconds(60'000));
}

Status Call::check_deadlines() const {
  const auto now = steady_clock::now();
  if (request_.timeouts.total && now - started_ >= *request_.timeouts.total) {
    return timed_out(peer_of(request_), *request_.timeouts.total);
  }
  if (now - last_move_ >= request_.timeouts.stall) {
    return stalled(peer_of(request_), request_.timeouts.stall);
  }
  return {};
}

// A server may refuse an upload before it has taken all of it, and close; then its answer counts, not the broken pipe.
Result<http::Response> Call::finish(CURLcode code) {
  if (refusal_) {
    return *refusal_;
  }
  if (answer_.status() == 407 && !line_.route.proxy.empty()) {
    return proxy_wants_login(peer_of(request_), proxy_name());
  }
  if (code == CURLE_OK || answer_.is_refusal()) {
    return answer_.has_fields() ? Result<http::Response>(answer_.take()) : failure(CURLE_GOT_NOTHING);
  }
  return failure(code);
}

std::string Call::proxy_name() const {
  const auto proxy = base::Url::parse(line_.route.proxy);
  return proxy ? proxy->authority() : std::string();
}

Error Call::failure(CURLcode code) const {
  CurlFailure failure;
  failure.code = code;
  failure.peer = peer_of(request_);
  failure.detail = words_.data();
  curl_.easy_getinfo(line_.easy, CURLINFO_OS_ERRNO, &failure.os_error);
  curl_.easy_getinfo(line_.easy, CURLINFO_SSL_VERIFYRESULT, &failure.verify_result);
  if (failure.detail.empty()) {
    failure.detail = curl_.easy_strerror(code);
  }
  failure.proxy = proxy_name();
  failure.connect_limit = base::to_string(request_.timeouts.connect);
  return describe(failure);
}

bool Call::refuse(Error error) {
  refusal_ = std::move(error);
  return false;
}

bool Call::take_header(std::string_view line) {
  moved();
  header_bytes_ += line.size();
  if (header_bytes_ > most_header_bytes) {
    return refuse(too_many_fields(peer_of(request_)));
  }
  if (answer_.has_fields()) {
    return true;  // a trailer
  }
  if (line.starts_with("HTTP/")) {
    const auto status = base::parse_integer(line.substr(std::min(line.find(' '), line.size() - 1) + 1).substr(0, 3));
    answer_.begin(static_cast<int>(status.value_or(0)));
    return true;
  }
  if (base::trim(line).empty()) {
    return answer_.status() < 200 || end_headers();
  }
  const auto [name, value] = base::split_once(line, ':');
  answer_.add_field(name, value);
  return true;
}

bool Call::end_headers() {
  const auto wanted = answer_.end_fields();
  return wanted ? true : refuse(wanted.error());
}

bool Call::take_body(std::string_view piece) {
  moved();
  const auto taken = answer_.add_body(piece);
  return taken ? !answer_.has_enough() : refuse(taken.error());
}

std::size_t Call::give_body(char* buffer, std::size_t size) {
  moved();
  if (exchange_.stop.stop_requested()) {
    refusal_ = Error::interrupted();
    return CURL_READFUNC_ABORT;
  }
  const auto count = request_.body->read(buffer, size);
  if (!count) {
    refusal_ = count.error();
    return CURL_READFUNC_ABORT;
  }
  sent_ += *count;
  if (exchange_.on_upload) {
    exchange_.on_upload(sent_);
  }
  return *count;
}

std::size_t Call::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Call*>(self)->take_header({data, size * count}) ? size * count : 0;
}

std::size_t Call::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Call*>(self)->take_body({data, size * count}) ? size * count : 0;
}

std::size_t Call::on_read(char* buffer, std::size_t size, std::size_t count, void* self) {
  return static_cast<Call*>(self)->give_body(buffer, size * count);
}

// libcurl begins again on a new connection when a kept one turned out to be closed. That shows before much has been
// sent; whether to repeat an upload that broke later is for the caller to say, who knows what has become of it.
int Call::on_seek(void* self, curl_off_t offset, int origin) {
  auto& call = *static_cast<Call*>(self);
  if (call.sent_ > most_sent_into_a_closed_connection) {
    return CURL_SEEKFUNC_FAIL;
  }
  if (offset != 0 || origin != SEEK_SET || !call.request_.body->rewind()) {
    return CURL_SEEKFUNC_CANTSEEK;
  }
  call.sent_ = 0;
  return CURL_SEEKFUNC_OK;
}

}  // namespace

CurlTransport::CurlTransport(CurlOptions options)
    : options_(std::move(options)), pool_(std::make_unique<CurlLines>(options_.idle_connections)) {}

CurlTransport::~CurlTransport() = default;

// Its forty libraries take the loader as long as a handshake takes. What goes wrong is told by the first request.
void CurlTransport::expect_tls() {
  loading_ = std::jthread([] { (void)curl_library(); });
}

Result<http::Response> CurlTransport::send(const http::Request& request, const http::Exchange& exchange) {
  if (const auto valid = check(request); !valid) {
    return valid.error();
  }
  if (exchange.stop.stop_requested()) {
    return Error::interrupted();
  }
  const auto& curl = curl_library();
  if (!curl) {
    return curl.error();
  }
  CurlRoute route{.origin = fmt::format("{}://{}", request.url.scheme, peer_of(request)),
                  .unix_socket = request.unix_socket,
                  .proxy = !request.unix_socket.empty() || request.proxy == "direct" ? std::string()
                           : request.proxy.empty() ? options_.proxies.proxy_for(request.url)
                                                   : request.proxy,
                  .tls = request.tls ? *request.tls : http::TlsSettings()};
  auto line = request.on_new_connection ? pool_->open(*curl, std::move(route)) : pool_->take(*curl, std::move(route));
  Call call(*line, request, exchange, options_);
  auto answer = call.run();
  pool_->give_back(std::move(line), call.is_clean());
  return answer;
}

}  // namespace deployctl::platform
