// GET of the /v1 face: from the mirror where it can tell, else from Stripe, and what Stripe answers
// is mirrored.
//
// The header Tilld-Consistency says more about one request:
//   (none)   the mirror; whom an order has just touched is asked from Stripe until it has settled
//   mirror   the mirror as it is, also while it settles; what it does not hold is Stripe's
//   stripe   Stripe's answer, whatever the mirror holds
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/faces.hpp"
#include "http/message.hpp"
#include "http/v1_mirror.hpp"

namespace tilld::http {

enum class consistency : std::uint8_t { settling, mirror, stripe };
// Nothing for a value that is none.
std::optional<consistency> consistency_from(std::string_view header) noexcept;

class v1_reads {
 public:
  explicit v1_reads(const house& h) : house_(h), mirror_(h) {}
  void read(const request& r, responder answer) const;

 private:
  void ask_stripe(const request& r, const mirror_question& asked, bool ours,
                  responder answer) const;

  const house& house_;
  mirror_reads mirror_;
};

}  // namespace tilld::http
