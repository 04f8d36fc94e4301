// The door, from bytes to requests.
#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "http/door.hpp"
#include "http/request_id.hpp"

namespace tilld::http {

namespace {

// A drip of bytes must not make the parser read the same head for each of them: it is asked again
// at the end of a line, or when so many more bytes have come.
constexpr std::size_t judge_step = 512;

// Then others have their turn: under overload a client that pipelines and reads its refusals as
// fast as they come would otherwise keep the door to itself. 64 refusals take about 0.3 ms.
constexpr int requests_per_look = 64;
constexpr int reads_per_look = 16;

// Memory for a body is taken before it comes only up to here; a stranger who says "1 MB" and sends
// nothing costs this much.
constexpr std::size_t body_at_first = 64u << 10;

int hex_value(char c) {
  if (c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

// parse_head has seen to it that every percent sign has two digits behind it.
std::string decoded(std::string_view segment) {
  std::string text;
  text.reserve(segment.size());
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      text += segment[i];
      continue;
    }
    text += static_cast<char>(hex_value(segment[i + 1]) * 16 + hex_value(segment[i + 2]));
    i += 2;
  }
  return text;
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  segments.reserve(4);
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    if (slash > 0) segments.push_back(decoded(path.substr(0, slash)));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return segments;
}

std::string in_lower_case(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

void fill(request& r, const head& h) {
  r.verb = h.verb == "HEAD" ? "GET" : h.verb;  // the answer's body is left out on its way
  r.target = h.target;
  const auto question = h.target.find('?');
  r.path = h.target.substr(0, question);
  if (question != std::string_view::npos) r.query = h.target.substr(question + 1);
  r.segments = segments_of(r.path);
  r.headers.reserve(h.headers.size());
  for (const auto& [name, value] : h.headers)
    r.headers.emplace_back(in_lower_case(name), value);
  r.id = request_id(r.header("x-request-id"));
}

}  // namespace

// Reads and frames until there is nothing more to read, a request is in hand, or the connection
// is at its end.
void server::door::receive(connection& c) {
  requests_left_ = requests_per_look;
  for (int round = 0; round < reads_per_look && requests_left_ > 0; ++round) {
    const bool between = c.at == phase::idle || c.at == phase::head;
    if (between && !c.received.empty() && c.received.size() >= c.judge_at) {
      const std::string bytes = std::exchange(c.received, {});
      const std::size_t used = frame(c, bytes);
      keep_rest(c, std::string_view(bytes).substr(used));
      if (requests_left_ <= 0) continue;
    }
    switch (c.at) {
      case phase::idle:
      case phase::head:
        if (!c.readable || !receive_bytes(c)) return;
        break;
      case phase::body:
        if (!c.readable || !receive_body(c)) return;
        break;
      case phase::lingering:
        return linger(c);
      case phase::handling:
      case phase::sending:
      case phase::closed:
        return;
    }
  }
  if (c.at != phase::closed) board_->post({slots_[c.key & 0xffffffffu], nullptr, {}, 0});
}

bool server::door::receive_bytes(connection& c) {
  const ssize_t n = ::recv(c.socket.get(), scratch_.data(), scratch_.size(), 0);
  if (!has_read(c, n, scratch_.size())) return false;
  if (n < 0) return true;
  const std::string_view bytes(scratch_.data(), static_cast<std::size_t>(n));
  if (c.received.empty()) {
    keep_rest(c, bytes.substr(frame(c, bytes)));
  } else {
    c.received += bytes;
    if (bytes.find('\n') != std::string_view::npos) c.judge_at = 0;
  }
  return true;
}

bool server::door::receive_body(connection& c) {
  std::string& body = c.current->asked.body;
  if (body.size() == body.capacity()) body.reserve(body.size() + c.body_missing);
  const std::size_t before = body.size();
  const std::size_t asked = std::min(c.body_missing, body.capacity() - before);
  ssize_t n = 0;
  body.resize_and_overwrite(before + asked, [&](char* to, std::size_t) {
    n = ::recv(c.socket.get(), to + before, asked, 0);
    return before + static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  });
  if (!has_read(c, n, asked)) return false;
  if (n < 0) return true;
  c.body_missing -= static_cast<std::size_t>(n);
  if (c.body_missing == 0) request_complete(c);
  return true;
}

// What a recv has said. False: the connection is closed now.
bool server::door::has_read(connection& c, ssize_t n, std::size_t asked) {
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
    close(c);
    return false;
  }
  // Less than was asked for means that the socket is empty and the next bytes make a new edge. But
  // the edge of a peer that hung up may be one that was seen already.
  const bool emptied = n < 0 ? errno == EAGAIN : static_cast<std::size_t>(n) < asked;
  if (emptied && (n < 0 || !c.hung_up)) c.readable = false;
  return true;
}

void server::door::keep_rest(connection& c, std::string_view rest) {
  if (c.at == phase::lingering || c.at == phase::closed) return;
  c.received = rest;
  c.judge_at = c.at == phase::head
                   ? std::min(rest.size() + judge_step, board_->settings.limits.head_bytes)
                   : 0;
}

// Takes requests out of `bytes` for as long as the connection can take one. Returns how many bytes
// are done with.
std::size_t server::door::frame(connection& c, std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && (c.at == phase::idle || c.at == phase::head)) {
    if (requests_left_-- <= 0) break;
    const std::size_t n = frame_one(c, bytes.substr(used));
    if (n == 0) break;
    used += n;
  }
  return used;
}

std::size_t server::door::frame_one(connection& c, std::string_view bytes) {
  const auto parsed = parse_head(bytes, board_->settings.limits);
  if (const auto* bad = std::get_if<refusal>(&parsed)) {
    refuse(c, bad->status, bad->code, bad->message);
    return bytes.size();
  }
  const auto* h = std::get_if<head>(&parsed);
  if (!h) {
    const std::int64_t deadline = now_ms_ + board_->settings.head_deadline_ms;
    if (c.at == phase::idle) enter(c, phase::head, now_ms_, deadline);
    return 0;
  }
  const std::string_view body = bytes.substr(h->bytes, h->content_length);
  begin_request(c, *h, body);
  return h->bytes + body.size();
}

void server::door::begin_request(connection& c, const head& h, std::string_view body_so_far) {
  if (!may_call_us(h.host)) {
    return refuse(c, 421, "host_not_allowed",
                  "This listener does not answer to the name \"" + std::string(h.host) +
                      "\"; if it should, add it to hosts under [" + board_->settings.name +
                      "] in the settings.");
  }
  auto e = std::make_shared<exchange>();
  e->board = board_;
  e->on = slots_[c.key & 0xffffffffu];
  e->head_only = h.verb == "HEAD";
  e->close = !h.keep_alive;
  e->asked.remote = c.remote;
  fill(e->asked, h);
  c.current = std::move(e);
  std::string& body = c.current->asked.body;
  body.reserve(std::min<std::size_t>(h.content_length, body_at_first));
  body = body_so_far;
  c.body_missing = h.content_length - body_so_far.size();
  if (c.body_missing == 0) return request_complete(c);
  enter(c, phase::body, now_ms_, now_ms_ + board_->settings.body_deadline_ms);
  if (h.expects_continue && body_so_far.empty()) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const ssize_t n = ::send(c.socket.get(), go_on.data(), go_on.size(), MSG_NOSIGNAL);
    if (n != static_cast<ssize_t>(go_on.size())) close(c);
  }
}

void server::door::request_complete(connection& c) {
  if (board_->draining) {
    return refuse(c, 503, "shutting_down", "tilld is shutting down; try again.");
  }
  if (in_flight() >= board_->settings.most_in_flight) {
    return refuse(c, 503, "overloaded", "Too many requests are being answered; try again.",
                  !c.current->close);
  }
  board_->in_flight.fetch_add(1, std::memory_order_relaxed);
  c.current->began = std::chrono::steady_clock::now();
  enter(c, phase::handling, now_ms_, now_ms_ + board_->settings.answer_deadline_ms);
  ready_.push_back(c.current);
}

bool server::door::may_call_us(std::string_view host) const {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::any_of(board_->settings.hosts, [&](const std::string& allowed) {
    return allowed == "*" || std::ranges::equal(allowed, host, {}, lower, lower);
  });
}

// Answers in a handler's place. The connection idles, sends or lingers afterwards.
void server::door::refuse(connection& c, int status, std::string_view code,
                          std::string_view message, bool keep_open) {
  board_->counts.refused(status, code);
  response answer =
      error_response(status, status < 500 ? "invalid_request_error" : "api_error", code, message);
  if (status == 503) answer.headers.emplace_back("Retry-After", "1");
  const std::string id = c.current ? c.current->asked.id : request_id({});
  const bool head_only = c.current && c.current->head_only;
  c.current.reset();
  start_sending(c, to_wire(std::move(answer), {id, !keep_open, head_only}), board_->sending,
                now_ms_);
}

}  // namespace tilld::http
