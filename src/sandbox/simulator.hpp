// Stripe, simulated: its objects, rules and events as one pure state machine. Requests go in,
// answers and events come out; no sockets, no threads, no clock of its own.
//
// What is not simulated answers 501 with a plain sentence, never a guess.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilld::sandbox {

struct request {
  std::string verb;
  std::string path;              // "/v1/customers/cus_x"
  std::string query;             // raw
  std::string body;              // form-encoded, or as content_type says
  std::string authorization;     // the header's value
  std::string idempotency_key;   // empty: none
  std::string stripe_version;    // empty: the default
  std::string stripe_account{};  // a connected account; empty: the own
  std::string content_type{};    // multipart/form-data for files; anything else is a form
};

struct response {
  int status = 200;
  std::int64_t date_s = 0;  // Stripe's time at this answer: its Date header
  std::string body;         // JSON, pretty-printed as Stripe does
  std::vector<std::pair<std::string, std::string>> headers;  // Request-Id, Stripe-Version, …
};

// An event that has happened and wants to be delivered, in the order of its cause.
struct emitted {
  std::string id;
  std::string type;
  std::string account;  // a connected one; empty: the own
  std::int64_t created_s = 0;
  std::string body;  // the event object, pretty-printed: what a webhook carries
};

// Where events want to be delivered: a webhook endpoint that somebody has made.
struct destination {
  std::string id;
  std::string url;
  std::vector<std::string> secrets;         // "whsec_…"; the newest first
  std::vector<std::string> enabled_events;  // types, or "*"
  bool enabled = true;
  bool connect = false;  // for the events of connected accounts, not for the own ones
  std::string account;   // a connected account that has made it; empty: the own
};

// A visit of one of the hosted pages, and what the browser gets.
struct page_visit {
  std::string verb;   // GET, POST
  std::string path;   // "/c/pay/cs_test_…"
  std::string query;  // raw
  std::string body;   // form-encoded
};
struct page {
  int status = 200;
  std::string body;
  std::string location;  // of a 303
  std::string content_type = "text/html; charset=utf-8";
};

class simulator {
 public:
  struct options {
    // The only one it takes.
    std::string secret_key = "sk_test_sandbox";
    // Of the ids: the same seed and the same requests give the same ids.
    std::uint64_t seed = 1;
    std::string account_id = "acct_1SandboxTilld0000";
  };
  explicit simulator(options o);
  ~simulator();

  // Not thread-safe: one thread at a time. `real_s` is the time on the wall. Everything that has
  // fallen due by then is done first.
  response handle(const request& r, std::int64_t real_s);

  // The account's own clock. It follows the wall until it is frozen or sent ahead; customers on
  // test clocks have their own. Advancing walks through every boundary on the way, in order, and
  // tells each with its own time.
  std::int64_t time(std::int64_t real_s) const;
  bool frozen() const;
  void pass(std::int64_t real_s);     // does what has fallen due
  void freeze(std::int64_t at_s);     // not before now, or what is due waits for it
  void release(std::int64_t real_s);  // runs on from where it is
  bool advance(std::int64_t to_s, std::int64_t real_s);  // false: that is in the past

  // What a dashboard sets, as a JSON object: retry_days, after_retries, upcoming_days, draft_s,
  // search_lag_s, keys_kept_s.
  // change_rules takes some of them and answers what is wrong with them; empty: changed.
  std::string rules() const;
  std::string change_rules(std::string_view members);

  // What a customer does in the browser when a payment_intent or setup_intent requires action:
  // passes the bank's authentication or fails it. False when the intent waits for no such thing.
  bool authenticate(std::string_view intent_id, bool passes, std::int64_t real_s);

  // Back to an empty account, as it was made; its clock follows the wall again.
  void reset();
  // Customers with a card and a monthly subscription each, made through the API's own functions.
  void seed(std::int64_t customers, std::int64_t real_s);
  // What has been paid, as a JSON object by currency: invoices (amount_paid of all), charges
  // (captured), refunds, balance_transactions (their amounts' sum).
  std::string ledger() const;

  // The hosted pages, at the base URL: checkout, portal, invoices, 3-D Secure.
  void set_base_url(std::string url);  // "http://127.0.0.1:12111"
  static bool is_page(std::string_view path);
  page visit(const page_visit& v, std::int64_t real_s);

  // Events since the last call, oldest first.
  std::vector<emitted> take_events();

  // Everybody who wants that event has taken it.
  void note_delivered(std::string_view event_id);

  std::vector<destination> destinations() const;
  // A new secret for an endpoint; the one before signs, too, for a day. Empty: no such endpoint.
  std::string roll_secret(std::string_view endpoint_id);

  // The object with that id, as GET answers it; empty when there is none.
  std::string object(std::string_view id) const;

  // Every object and event, for comparing a mirror with the truth:
  // {"customer": {"cus_x": {…}}, …}. Deleted objects are there as their stub. Connected accounts
  // stand below "accounts" in the same way.
  std::string dump() const;

  // All of the state, to keep it across restarts. load() into a fresh simulator; returns false and
  // changes nothing if the bytes are not a state of this version.
  std::string save() const;
  bool load(std::string_view bytes);

 private:
  struct machine;
  std::unique_ptr<machine> machine_;
};

}  // namespace tilld::sandbox
