#include "http/server.hpp"

#include "http/door.hpp"

namespace tilld::http {

server::server(listener_settings settings, router routes, metrics& counts)
    : door_(std::make_unique<door>(std::move(settings), std::move(routes), counts)) {}
server::~server() = default;

result<void> server::start() {
  return door_->start();
}
std::uint16_t server::port() const {
  return door_->port();
}
int server::drain(std::int64_t deadline_ms) {
  return door_->drain(deadline_ms);
}
int server::in_flight() const {
  return door_->in_flight();
}

}  // namespace tilld::http
