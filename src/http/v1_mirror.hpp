// Reads of the /v1 face that the mirror can answer, and which of them it may.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/faces.hpp"
#include "http/message.hpp"
#include "http/v1_lists.hpp"
#include "http/v1_nested.hpp"
#include "http/v1_owned.hpp"
#include "store/keys.hpp"
#include "stripe/catalogue.hpp"
#include "stripe/expand.hpp"
#include "stripe/form.hpp"

namespace tilld::http {

struct object_id {
  std::string kind;
  std::string id;
  friend auto operator<=>(const object_id&, const object_id&) = default;
};

// One read, taken apart.
struct mirror_question {
  store::scope scope;
  std::string path;  // "/v1/customers": lists name it
  const stripe::endpoint_row* endpoint = nullptr;
  std::vector<std::string> arguments;  // of the endpoint's {placeholders}
  std::vector<std::string> expand;     // its paths
  stripe::form_pairs query;            // without expand
  bool as_it_is = false;  // also of whom an order has just touched, and what events do not tell
  // Objects that were asked from Stripe for this very answer.
  std::set<object_id> fetched{};
};

// What an answer lacks that was to be expanded.
struct shortfall {
  std::set<object_id> objects;  // that could be asked one by one
  bool more = false;            // and something that only Stripe can add
};

class mirror_reads {
 public:
  explicit mirror_reads(const house& h) : house_(h) {}

  // Nothing: the mirror cannot tell, ask Stripe; for what is lacking, if that is all.
  std::optional<response> answer(const mirror_question& asked, shortfall& lacking) const;

 private:
  std::optional<response> object(const mirror_question& asked, const std::string& name,
                                 const document_view& shown) const;
  std::optional<response> event(const store::scope& scope, const std::string& id) const;
  std::optional<response> list(const mirror_question& asked, const std::string& name,
                               const document_view& shown) const;
  std::optional<response> search(const mirror_question& asked, const std::string& name,
                                 const document_view& shown) const;
  std::optional<response> nested(const mirror_question& asked, const nested_list& wanted,
                                 const document_view& shown) const;

  std::optional<response> owned_one(const mirror_question& asked, const owned& wanted,
                                    const document_view& shown) const;
  std::optional<response> owned_list(const mirror_question& asked, const owned& wanted,
                                     const document_view& shown) const;
  std::optional<std::string> live(const store::scope& scope, std::string_view kind,
                                  std::string_view id) const;
  std::optional<std::string> found(const mirror_question& asked, shortfall& lacking,
                                   const std::vector<std::string>& kinds,
                                   std::string_view id) const;
  std::optional<std::string> added(const mirror_question& asked, shortfall& lacking,
                                   std::string_view object_name, std::string_view document,
                                   std::string_view member) const;
  bool is_whole(const store::scope& scope, std::string_view name,
                std::string_view owner = {}) const;
  bool is_told(const mirror_question& asked, const std::string& name) const;
  bool settles(const mirror_question& asked, std::string_view document) const;
  bool list_settles(const mirror_question& asked) const;

  const house& house_;
};

}  // namespace tilld::http
