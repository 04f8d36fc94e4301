// One request on its way through libcurl: the settings of its easy handle, what has arrived so far,
// and what its end means. Used by the client's thread alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <curl/curl.h>

#include "net/client.hpp"

namespace tilld::net {

class transfer {
 public:
  using callback = std::move_only_function<void(outcome)>;

  // `origin` as check_request() gave it; `deadline_ms` on the monotonic clock.
  transfer(request r, std::string origin, std::int64_t deadline_ms, callback done);
  ~transfer();
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  const std::string& origin() const { return origin_; }
  std::int64_t deadline_ms() const { return deadline_ms_; }
  CURL* easy() const { return easy_; }

  // Writes the request into `easy`, which the transfer uses but does not own. False when memory is
  // out.
  bool begin(CURL* easy, const client::options& options, std::int64_t now_ms);
  // What libcurl's last word on it means.
  outcome end(CURLcode code, std::int64_t now_ms);
  // Its end without libcurl: out of time, shutting down, refused.
  outcome give_up(bool timed_out, const char* why);
  // Calls `done`. Nothing may be done with the transfer afterwards.
  void tell(outcome o) { done_(std::move(o)); }

 private:
  bool set_request();
  void set_connection(const client::options& options);
  bool add_header(const std::string& line);
  bool take_header(std::string_view line);
  bool take_status(std::string_view line);
  bool take_field(std::string_view line);

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* me);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* me);
  static int on_sending(void* me, char* theirs, char* ours, int their_port, int our_port);

  request asked_;
  std::string origin_;
  std::int64_t deadline_ms_ = 0;
  std::int64_t started_ms_ = 0;
  callback done_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  bool may_be_resent_ = false;
  int sendings_ = 0;

  answer got_;
  std::size_t header_bytes_ = 0;
  bool in_fields_ = false;  // between a status line and the empty line
  bool head_done_ = false;  // of the final answer; what follows are trailers
  std::string why_not_;     // why a callback of ours ended it
  char error_text_[CURL_ERROR_SIZE] = {};
};

}  // namespace tilld::net
