#include "net/transfer.hpp"

#include <algorithm>

#include "net/request_check.hpp"

namespace tilld::net {

namespace {

// Idle connections are not used again after this: the balancers in front of most servers close them
// after 60 s, and a request that meets that moment has to be sent again.
constexpr long idle_connection_s = 50;
// A new address in the DNS is followed after this at the latest.
constexpr long longest_connection_s = 600;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  return text;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

// libcurl's own words, without what a peer or a URL may have put into them.
std::string clean(std::string text) {
  if (text.find('?') != std::string::npos) return {};
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text.substr(0, 200);
}

}  // namespace

transfer::transfer(request r, std::string origin, std::int64_t deadline_ms, callback done)
    : asked_(std::move(r)),
      origin_(std::move(origin)),
      deadline_ms_(deadline_ms),
      done_(std::move(done)),
      may_be_resent_(net::may_be_resent(asked_)) {}

transfer::~transfer() {
  curl_slist_free_all(headers_);
}

bool transfer::begin(CURL* easy, const client::options& options, std::int64_t now_ms) {
  easy_ = easy;
  started_ms_ = now_ms;
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_text_);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &transfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &transfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &transfer::on_sending);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  set_connection(options);
  return curl_easy_setopt(easy_, CURLOPT_USERAGENT, options.user_agent.c_str()) == CURLE_OK &&
         (options.ca_file.empty() ||
          curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str()) == CURLE_OK) &&
         set_request();
}

void transfer::set_connection(const client::options& options) {
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPINTVL, 10L);
  curl_easy_setopt(easy_, CURLOPT_MAXAGE_CONN, idle_connection_s);
  curl_easy_setopt(easy_, CURLOPT_MAXLIFETIME_CONN, longest_connection_s);
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  // Else the system's directory would be trusted beside the file.
  if (!options.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<std::int64_t>(1, asked_.connect_deadline_ms)));
  // A name server that hangs would otherwise hold this thread, and so every request, until it gives
  // up: libcurl joins its resolver thread. With this it leaves it to end by itself.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, asked_.reuse_connection ? 0L : 1L);
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, asked_.reuse_connection ? 0L : 1L);
}

bool transfer::set_request() {
  const bool sends_body = !asked_.body.empty() || asked_.verb == "POST" || asked_.verb == "PUT" ||
                          asked_.verb == "PATCH";
  if (asked_.verb == "HEAD" && !sends_body) {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (sends_body) {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(asked_.body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, asked_.body.data());
  }
  bool has_type = false;
  bool fits = curl_easy_setopt(easy_, CURLOPT_URL, asked_.url.c_str()) == CURLE_OK &&
              curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, asked_.verb.c_str()) == CURLE_OK;
  for (const auto& [name, value] : asked_.headers) {
    has_type = has_type || lower_case(name) == "content-type";
    // libcurl's spelling of a header with an empty value; "Name:" would take the header away.
    const bool empty = trimmed(value).empty();
    fits = fits && add_header(empty ? name + ";" : name + ": " + value);
  }
  // What libcurl would add by itself.
  fits = fits && add_header("Expect:");
  if (!has_type) fits = fits && add_header("Content-Type:");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  return fits;
}

bool transfer::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_, line.c_str());
  if (longer == nullptr) return false;
  headers_ = longer;
  return true;
}

// Called when a connection stands (TLS too) and the request is about to be written: before the
// first call no byte of it has left, a second call is libcurl's own second sending.
int transfer::on_sending(void* me, char*, char*, int, int) {
  auto& t = *static_cast<transfer*>(me);
  if (t.sendings_ > 0 && !t.may_be_resent_) {
    t.why_not_ = "the connection died without an answer; the request is not sent twice";
    return CURL_PREREQFUNC_ABORT;
  }
  ++t.sendings_;
  return CURL_PREREQFUNC_OK;
}

std::size_t transfer::on_header(char* data, std::size_t size, std::size_t count, void* me) {
  const std::size_t length = size * count;
  return static_cast<transfer*>(me)->take_header({data, length}) ? length : 0;
}

std::size_t transfer::on_body(char* data, std::size_t size, std::size_t count, void* me) {
  auto& t = *static_cast<transfer*>(me);
  const std::size_t length = size * count;
  if (length > t.asked_.most_body_bytes - t.got_.body.size()) {
    t.why_not_ = "the body is longer than " + std::to_string(t.asked_.most_body_bytes) + " bytes";
    return 0;
  }
  t.got_.body.append(data, length);
  return length;
}

bool transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > asked_.most_header_bytes) {
    why_not_ = "the headers are longer than " + std::to_string(asked_.most_header_bytes) + " bytes";
    return false;
  }
  if (head_done_) return true;
  if (!in_fields_) return take_status(line);
  if (trimmed(line).empty()) {
    in_fields_ = false;
    head_done_ = got_.status >= 200;
    return true;
  }
  return take_field(line);
}

bool transfer::take_status(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (!line.starts_with("HTTP/") || space == std::string_view::npos) return true;
  int status = 0;
  for (const char c : trimmed(line.substr(space)).substr(0, 3)) {
    if (c < '0' || c > '9') break;
    status = status * 10 + (c - '0');
  }
  got_.status = status;
  got_.headers.clear();
  in_fields_ = true;
  return true;
}

bool transfer::take_field(std::string_view line) {
  if (is_blank(line.front()) && !got_.headers.empty()) {  // folded, as RFC 9110 forbids
    got_.headers.back().second += ' ';
    got_.headers.back().second += trimmed(line);
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  std::string name = lower_case(trimmed(line.substr(0, colon)));
  const std::string_view value = trimmed(line.substr(colon + 1));
  // libcurl would undo any other coding that it knows; nobody asked for one.
  if (name == "transfer-encoding" && lower_case(value) != "chunked") {
    why_not_ = "the answer has a transfer coding that was not asked for";
    return false;
  }
  got_.headers.emplace_back(std::move(name), value);
  return true;
}

outcome transfer::end(CURLcode code, std::int64_t now_ms) {
  if (code == CURLE_OK && got_.status >= 200) {
    got_.took_ms = now_ms - started_ms_;
    return std::move(got_);
  }
  if (why_not_.empty()) why_not_ = clean(error_text_);
  if (why_not_.empty()) {
    why_not_ = code == CURLE_OK ? "there was no final answer" : curl_easy_strerror(code);
  }
  return give_up(code == CURLE_OPERATION_TIMEDOUT, why_not_.c_str());
}

outcome transfer::give_up(bool timed_out, const char* why) {
  return std::unexpected(failure{sendings_ > 0, timed_out, origin_ + ": " + why, false});
}

}  // namespace tilld::net
