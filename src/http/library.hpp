// cpp-httplib behind the door: it routes a request and holds the line when a handler throws.
//
// What it is given is harmless by construction: a request line made of a verb and a path that
// parse_head has passed, and no headers, so its decoding of header values, ranges, forms, bodies
// and encodings has nothing to work on. Its regular expressions stay unused: the one handler it
// knows asks our router. What it would write is discarded; the answer's framing is ours.
#pragma once

#include <memory>

#include "http/message.hpp"
#include "http/router.hpp"

namespace tilld::http {

class library {
 public:
  // `routes` must outlive this.
  explicit library(const router& routes);
  ~library();

  // Lets the route's handler answer. A handler that throws has answered 500, and the log names the
  // type of what was thrown, never its text. Never throws. Thread-safe.
  void run(request& r, const responder& answer);

 private:
  class engine;
  std::unique_ptr<engine> engine_;
};

}  // namespace tilld::http
