// The catalogue: every Stripe object, endpoint and event type as rows, so that a new resource is a
// row and not a class. The rows are data (catalogue.json), built into the program.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilld::stripe {

struct object_row {
  std::string name;  // "subscription", "checkout.session"
  bool has_id = false;
  bool deletable = false;           // DELETE answers a stub {"id", "object", "deleted": true}
  std::vector<std::string> fields;  // top-level fields
  struct reference {
    std::string path;                  // "items[].price"
    std::vector<std::string> targets;  // object names
  };
  std::vector<reference> expandable;  // ids that expand[] turns into objects
  std::vector<reference> embedded;    // whole objects inside
  std::vector<reference> lists;       // embedded lists
};

struct endpoint_row {
  std::string verb;                  // "GET", "POST", "DELETE"
  std::string path;                  // "/v1/subscriptions/{id}"
  std::vector<std::string> returns;  // object names
  bool list = false;
  bool search = false;
  struct parameter {
    std::string name;
    bool required = false;
  };
  std::vector<parameter> parameters;

  // True when Stripe answers nothing without a certain parameter: /v1/subscription_items wants a
  // subscription, so that such a list cannot be walked as a whole.
  bool demands_parameter() const noexcept;
};

struct event_row {
  std::string type;
  std::vector<std::string> objects;
};

class catalogue {
 public:
  // The one that is built in. The first call parses it (a few milliseconds).
  static const catalogue& instance();
  catalogue(const catalogue&) = delete;
  catalogue& operator=(const catalogue&) = delete;

  std::string_view api_version() const noexcept { return api_version_; }
  std::span<const object_row> objects() const noexcept { return objects_; }
  std::span<const endpoint_row> endpoints() const noexcept { return endpoints_; }
  std::span<const event_row> events() const noexcept { return events_; }
  const object_row* object(std::string_view name) const;
  const event_row* event(std::string_view type) const;

  // Where one object is fetched ("/v1/customers/{id}": one placeholder, at the end) and where all
  // of its kind are listed ("/v1/customers": none). nullptr where Stripe has no such endpoint.
  // An object with a list has both, of the same collection; mandates and a few others can only be
  // fetched; what lives inside another object (a capability, a line item) has neither.
  const endpoint_row* retrieve_of(std::string_view object_name) const;
  const endpoint_row* list_of(std::string_view object_name) const;
  // The way back: "/v1/customers" → customer. nullptr for every other path.
  const object_row* listed_at(std::string_view path) const;

  // Whether its list can be walked from end to end, and events tell of every new object and of
  // changes, so that a mirror that has walked it stays whole by events alone. Balance transactions
  // come without any; payment methods and tax IDs are listed by their owner.
  bool can_be_whole(std::string_view object_name) const;

  // Whether events tell of its changes. Of what they do not tell (a balance transaction, a tax
  // code, a subscription's item by itself) nobody can say whether it is still so; nor of what they
  // tell when it comes and goes alone: no event says that an invoice has taken an invoice item in.
  bool is_told(std::string_view object_name) const;

  // The endpoint that a request means, with the values of its {placeholders} in their order
  // (percent-decoded by the caller beforehand, one segment each). A literal segment wins over a
  // placeholder: /v1/customers/search is not customer "search". An empty segment is never a value:
  // /v1/customers/ is no endpoint. About 100 ns; any thread.
  struct match {
    const endpoint_row* endpoint = nullptr;  // nullptr: Stripe has no such endpoint
    std::vector<std::string> arguments;
  };
  match find(std::string_view verb, std::span<const std::string> segments) const;

 private:
  struct index;
  catalogue();
  std::string api_version_;
  std::vector<object_row> objects_;
  std::vector<endpoint_row> endpoints_;
  std::vector<event_row> events_;
  const index* index_ = nullptr;  // lives as long as the program
};

// "/v1/customers/cus_1" of customer cus_1; empty where Stripe has no such endpoint.
std::string retrieve_target(std::string_view object_name, std::string_view id);

}  // namespace tilld::stripe
