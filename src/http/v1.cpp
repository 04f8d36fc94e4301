#include <memory>
#include <utility>

#include "http/faces.hpp"
#include "http/v1_orders.hpp"
#include "http/v1_reads.hpp"

namespace tilld::http {

void add_v1_routes(router& to, const house& h) {
  auto reads = std::make_shared<v1_reads>(h);
  to.add("GET", "/v1/{rest...}",
         [reads](request& r, responder answer) { reads->read(r, std::move(answer)); });
  for (const char* verb : {"POST", "DELETE"}) {
    to.add(verb, "/v1/{rest...}",
           [&h](request& r, const responder& answer) { take_v1_order(h, r, answer); });
  }
}

}  // namespace tilld::http
