#include "http/library.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <typeinfo>

#include <httplib.h>

#include "base/log.hpp"

namespace tilld::http {

namespace {

// What the thread's current call of the library is about.
struct job {
  request& asked;
  const responder& answer;
  bool routed = false;
};

thread_local job* current = nullptr;

// The library's idea of a socket: it reads one request line, and whatever it writes is dropped.
class memory_stream final : public httplib::Stream {
 public:
  explicit memory_stream(const std::string& text) : text_(text) {}
  bool is_readable() const override { return at_ < text_.size(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* out, std::size_t size) override {
    const std::size_t count = std::min(size, text_.size() - at_);
    std::memcpy(out, text_.data() + at_, count);
    at_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char*, std::size_t size) override { return static_cast<ssize_t>(size); }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  const std::string& text_;
  std::size_t at_ = 0;
};

void report(const job& j, const std::exception_ptr& thrown) {
  static log::limited lines(5);
  const char* what = "";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    what = typeid(e).name();
  } catch (...) {
    what = "not an exception";
  }
  lines.write(log::level::error, "handler_threw",
              {{"type", what}, {"request", j.asked.id}, {"path", j.asked.path}});
  j.answer(error_response(500, "api_error", "internal_error",
                          "Something failed inside tilld; its log has the request id."));
}

}  // namespace

class library::engine final : public httplib::Server {
 public:
  explicit engine(const router& routes) {
    set_pre_routing_handler([&routes](const httplib::Request&, httplib::Response& out) {
      current->routed = true;
      routes.route(current->asked, current->answer);
      out.status = 200;
      return HandlerResponse::Handled;
    });
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& out, const std::exception_ptr& thrown) {
          report(*current, thrown);
          out.status = 500;
        });
  }

  void process(memory_stream& stream) {
    bool closed = false;
    process_with(*this, stream, closed);
  }

 private:
  // 0.18 is given the two addresses that 0.11 asks the stream for.
  template <class Engine>
  static void process_with(Engine& self, httplib::Stream& stream, bool& closed) {
    if constexpr (requires { self.process_request(stream, true, closed, nullptr); }) {
      self.process_request(stream, true, closed, nullptr);
    } else {
      self.process_request(stream, {}, 0, {}, 0, true, closed, nullptr);
    }
  }
};

library::library(const router& routes) : engine_(std::make_unique<engine>(routes)) {}
library::~library() = default;

void library::run(request& r, const responder& answer) {
  job j{r, answer};
  current = &j;
  thread_local std::string line;
  line.assign(r.verb).append(" ").append(r.path).append(" HTTP/1.1\r\n\r\n");
  memory_stream stream(line);
  try {
    engine_->process(stream);
  } catch (...) {
    report(j, std::current_exception());
  }
  current = nullptr;
  if (!j.routed) {
    answer(error_response(500, "api_error", "not_routed",
                          "The HTTP library refused a request that the door had passed."));
  }
}

}  // namespace tilld::http
