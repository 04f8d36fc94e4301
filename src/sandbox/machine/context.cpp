#include "sandbox/machine/context.hpp"

#include <algorithm>

namespace tilld::sandbox {

namespace {

constexpr std::size_t metadata_keys = 50;

// The connected account that an event is about or happened on; empty: the own one's.
std::string account_of(const account_facts& facts, const json& object) {
  if (facts.connected()) return facts.id;
  const bool is_account = text_of(object, "object") == "account";
  return is_account && text_of(object, "id") != facts.id ? text_of(object, "id") : std::string();
}

}  // namespace

const json& context::param(std::string_view name) const {
  static const json absent = nullptr;
  const auto it = params.find(name);
  return it == params.end() ? absent : *it;
}

void context::copy_given(json& document, std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (given(name)) document[name] = params[name];
  }
}

json context::make(kind k) {
  json document = blank(k);
  document["id"] = state.ids.next(k);
  if (document.contains("created")) document["created"] = now;
  if (document.contains("livemode")) document["livemode"] = false;
  if (!clock.empty()) {
    const bool shown = document.contains("test_clock");
    document[shown ? "test_clock" : "_clock"] = clock;
  }
  if (document.contains("metadata")) document["metadata"] = json::object();
  return document;
}

answer<json> context::object(kind k, const std::string& id) const {
  const json* document = state.find_live(k, id);
  if (document == nullptr) return missing(k, id, stripe::path_param(row_of(k).object), 404);
  return *document;
}

answer<json> context::object() const {
  const auto k = kind_named(endpoint->returns.front());
  return object(*k, arguments.front());
}

answer<json> context::referred(kind k, const std::string& id, std::string_view param) const {
  const json* document = state.find_live(k, id);
  if (document == nullptr) return missing(k, id, param, 400);
  return *document;
}

void context::emit_object(std::string type, json object, json previous) {
  json event = json::object();
  event["id"] = state.ids.next_event();
  event["object"] = "event";
  const std::string account = account_of(facts, object);
  if (!account.empty()) event["account"] = account;
  event["api_version"] = stripe::catalogue::instance().api_version();
  event["created"] = now;
  json data = json::object();
  data["object"] = std::move(object);
  if (!previous.is_null()) data["previous_attributes"] = std::move(previous);
  event["data"] = std::move(data);
  event["livemode"] = false;
  event["pending_webhooks"] = 1;
  json request = json::object();
  request["id"] = request_id.empty() ? json(nullptr) : json(request_id);
  request["idempotency_key"] = idempotency_key.empty() ? json(nullptr) : json(idempotency_key);
  event["request"] = std::move(request);
  event["type"] = type;
  logged_event logged;
  logged.id = text_of(event, "id");
  logged.type = std::move(type);
  logged.created_s = now;
  logged.account = account;
  logged.text = compact(event);
  state.events.append(std::move(logged));
}

void context::emit(std::string type, kind k, std::string_view id) {
  emit_object(std::move(type), shown(k, id));
}

void context::emit_updated(std::string type, kind k, std::string_view id, const json& before) {
  json after = shown(k, id);
  json previous = previous_attributes(before, after);
  if (!previous.is_null()) emit_object(std::move(type), std::move(after), std::move(previous));
}

void context::update(std::string type, kind k, json document) {
  const std::string id = text_of(document, "id");
  const json before = shown(k, id);
  state.replace(k, std::move(document));
  emit_updated(std::move(type), k, id, before);
}

void context::watch_customer(const std::string& id) {
  const bool watched = std::any_of(watched_.begin(), watched_.end(),
                                   [&](const auto& seen) { return seen.first == id; });
  if (!watched) watched_.emplace_back(id, shown(kind::customer, id));
}

void context::settle() {
  for (const auto& [id, before] : watched_) {
    if (state.find_live(kind::customer, id) != nullptr) {
      emit_updated("customer.updated", kind::customer, id, before);
    }
  }
  watched_.clear();
}

answer<void> merge_metadata(json& document, const json& given) {
  json& metadata = document["metadata"];
  if (given.is_null() || !metadata.is_object()) metadata = json::object();
  if (given.is_null()) return {};
  for (const auto& [key, value] : given.items()) {
    if (value.get_ref<const std::string&>().empty()) {
      metadata.erase(key);
    } else {
      metadata[key] = value;
    }
  }
  if (metadata.size() > metadata_keys) {
    return refuse("Metadata can have at most 50 keys.", "metadata");
  }
  return {};
}

void merge_hash(json& into, const json& given) {
  if (!given.is_object() || !into.is_object()) {
    into = given;
    return;
  }
  for (const auto& [key, value] : given.items()) {
    if (value.is_object() && into.contains(key)) {
      merge_hash(into[key], value);
    } else {
      into[key] = value;
    }
  }
}

}  // namespace tilld::sandbox
