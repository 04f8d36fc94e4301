// GET of the /v1 face: from the mirror where it can tell, else from Stripe, and what Stripe answers
// is mirrored.
//
// The header Tilld-Consistency says more about one request:
//   (none)   the mirror; whom an order has just touched is asked from Stripe until it has settled
//   mirror   the mirror as it is, also while it settles; what it does not hold is Stripe's
//   stripe   Stripe's answer, whatever the mirror holds
//
// What is to be expanded and is not in the mirror is asked object by object and kept, so that the
// answer is built here and the next one needs nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "http/faces.hpp"
#include "http/message.hpp"
#include "http/v1_mirror.hpp"
#include "stripe/call.hpp"

namespace tilld::http {

enum class consistency : std::uint8_t { settling, mirror, stripe };
// Nothing for a value that is none.
std::optional<consistency> consistency_from(std::string_view header) noexcept;

class v1_reads : public std::enable_shared_from_this<v1_reads> {
 public:
  explicit v1_reads(const house& h) : house_(h), mirror_(h) {}
  void read(const request& r, responder answer) const;

 private:
  // What of a request outlives its handler.
  struct asking {
    mirror_question asked;
    stripe::call call;
    bool ours = false;   // in the pinned version
    bool local = false;  // the mirror may answer
    responder answer;
  };
  using shared_asking = std::shared_ptr<asking>;
  void answer(const shared_asking& one) const;
  void fetch_lacking(const shared_asking& one, const shortfall& lacking) const;
  void ask_stripe(const asking& one) const;
  std::function<void()> note_of(const asking& one) const;

  const house& house_;
  mirror_reads mirror_;
};

}  // namespace tilld::http
