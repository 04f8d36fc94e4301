// The endpoints of /api as rows of one table: what each takes, gives and refuses. The router, the
// check of every request and the OpenAPI document are made from it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/api/shape.hpp"
#include "http/faces.hpp"

namespace tilld::http::api {

// A request that has been checked against its row.
struct asked {
  const house& of;
  store::scope scope;
  std::vector<std::string> arguments;  // of the path
  nlohmann::json query;                // an object: what was given
  nlohmann::json body;                 // an object; empty when there was none
  std::string idempotency_key;         // the caller's; empty: none
  bool respond_async = false;          // Prefer: respond-async (RFC 7240)
  std::int64_t wait_s = -1;            // Prefer: wait=; -1: not said

  const std::string& argument(std::size_t i = 0) const { return arguments.at(i); }
  // Of the body, or of the query; what was not given is "", 0, false.
  std::string text(std::string_view member) const;
  std::int64_t number(std::string_view member, std::int64_t otherwise = 0) const;
  bool truth(std::string_view member, bool otherwise = false) const;
  bool has(std::string_view member) const;

 private:
  const nlohmann::json* find(std::string_view member) const;
};

// Shared: it may be answered after the request's own thread has gone on.
using asked_ptr = std::shared_ptr<const asked>;

struct refusal {
  int status;
  std::string code;
  std::string about;
};

struct endpoint {
  std::string verb;
  std::string path;  // "/api/customers/{user_id}"
  std::string name;  // "getCustomer": of the function that a generated client has for it
  std::string tag;   // "Customers": of the chapter it stands in
  std::string summary;
  std::string about{};
  std::vector<member> in_path{};  // what each placeholder is
  std::vector<member> query{};
  std::optional<shape> takes{};  // the body
  bool orders = false;           // asks Stripe to do something: Idempotency-Key and Prefer count
  int status = 200;
  shape gives{};
  std::vector<refusal> refuses{};
  std::function<void(const asked_ptr&, const responder&)> run{};
};

// Registers all of them, and the document at /openapi.json.
void serve(router& to, const house& h, std::vector<endpoint> all);

// OpenAPI 3.1. Source: https://spec.openapis.org/oas/v3.1.1
nlohmann::json openapi(const std::vector<endpoint>& all, std::string_view version);

// An error answer of /api: Stripe's shape, with all that is wrong in "errors".
response refuse(int status, std::string_view code, std::string_view message,
                const std::vector<fault>& faults = {});
response found(const nlohmann::json& body, int status = 200);

}  // namespace tilld::http::api
