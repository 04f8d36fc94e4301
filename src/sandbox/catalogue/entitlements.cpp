#include "sandbox/catalogue/entitlements.hpp"

#include <algorithm>
#include <set>

#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::entitlements {

namespace {

bool entitles(const json& subscription) {
  const std::string status = text_of(subscription, "status");
  return status == "active" || status == "trialing" || status == "past_due";
}

std::set<std::string> wanted_features(const context& ctx, const std::string& customer) {
  std::set<std::string> features;
  for (const json* subscription : ctx.state.with(kind::subscription, "customer", customer)) {
    if (!entitles(*subscription) || !subscription->contains("_features")) continue;
    for (const auto& feature : (*subscription)["_features"]) {
      features.insert(feature.get<std::string>());
    }
  }
  return features;
}

json summary(const context& ctx, const std::string& customer) {
  json data = json::array();
  bool more = false;
  for (const json* e : ctx.state.with(kind::active_entitlement, "_customer", customer)) {
    if (data.size() == embedded_list_limit) {
      more = true;
      break;
    }
    data.push_back(view_of(ctx.state, kind::active_entitlement, *e));
  }
  json document = json::object();
  document["object"] = "entitlements.active_entitlement_summary";
  document["customer"] = customer;
  document["entitlements"] =
      list_envelope(std::move(data), more, "/v1/customer/" + customer + "/entitlements");
  document["livemode"] = false;
  return document;
}

}  // namespace

json features_of(const context& ctx, const std::vector<std::string>& products) {
  std::set<std::string> features;
  for (const auto& product : products) {
    for (const json* attached : ctx.state.with(kind::product_feature, "_product", product)) {
      features.insert(text_of(*attached, "entitlement_feature"));
    }
  }
  json ids = json::array();
  for (const auto& feature : features)
    ids.push_back(feature);
  return ids;
}

void refresh(context& ctx, const std::string& customer) {
  std::set<std::string> wanted = wanted_features(ctx, customer);
  std::vector<std::string> ended;
  for (const json* e : ctx.state.with(kind::active_entitlement, "_customer", customer)) {
    if (wanted.erase(text_of(*e, "feature")) == 0) ended.push_back(text_of(*e, "id"));
  }
  if (wanted.empty() && ended.empty()) return;
  const json before = summary(ctx, customer);
  for (const auto& id : ended)
    ctx.state.forget(kind::active_entitlement, id);
  for (const auto& feature : wanted) {
    json entitlement = ctx.make(kind::active_entitlement);
    entitlement["feature"] = feature;
    entitlement["lookup_key"] = (ctx.state.at(kind::feature, feature))["lookup_key"];
    entitlement["_customer"] = customer;
    ctx.state.insert(kind::active_entitlement, std::move(entitlement));
  }
  json after = summary(ctx, customer);
  json previous = previous_attributes(before, after);
  ctx.emit_object("entitlements.active_entitlement_summary.updated", std::move(after),
                  std::move(previous));
}

const params::schema& feature_create_takes() {
  static const params::schema takes = {params::text("lookup_key", 80).needed(), params::metadata(),
                                       params::text("name", 80).needed()};
  return takes;
}

answer<json> feature_create(context& ctx) {
  const std::string key = ctx.text("lookup_key");
  for (const json* other : ctx.state.with(kind::feature, "lookup_key", key)) {
    if (!truth_of(*other, "active")) continue;
    return refuse("A feature with lookup_key `" + key + "` already exists.", "lookup_key",
                  "resource_already_exists");
  }
  json feature = ctx.make(kind::feature);
  feature["active"] = true;
  feature["lookup_key"] = key;
  feature["name"] = ctx.param("name");
  if (auto merged = merge_metadata(feature, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  ctx.state.insert(kind::feature, feature);
  return feature;
}

answer<json> feature_retrieve(context& ctx) {
  return ctx.object();
}

const params::schema& feature_update_takes() {
  static const params::schema takes = {params::boolean("active"), params::metadata(),
                                       params::text("name", 80)};
  return takes;
}

answer<json> feature_update(context& ctx) {
  auto feature = ctx.object();
  if (!feature) return feature;
  ctx.copy_given(*feature, {"active", "name"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*feature, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.state.replace(kind::feature, *feature);
  return feature;
}

const params::schema& feature_list_takes() {
  static const params::schema takes = {params::boolean("archived"), params::text("lookup_key", 80)};
  return takes;
}

answer<json> feature_list(context& ctx) {
  filter shown;
  shown.equal(ctx, "lookup_key", "lookup_key");
  if (ctx.given("archived")) {
    shown.also.push_back([archived = ctx.truth("archived")](const json& feature) {
      return truth_of(feature, "active") != archived;
    });
  }
  return list_page(ctx, kind::feature, shown);
}

const params::schema& attach_takes() {
  static const params::schema takes = {params::text("entitlement_feature").needed()};
  return takes;
}

answer<json> attach(context& ctx) {
  const std::string& product = ctx.arguments.front();
  if (auto known = ctx.object(kind::product, product); !known) return known;
  const std::string id = ctx.text("entitlement_feature");
  auto feature = ctx.referred(kind::feature, id, "entitlement_feature");
  if (!feature) return feature;
  for (const json* attached : ctx.state.with(kind::product_feature, "_product", product)) {
    if (text_of(*attached, "entitlement_feature") == id) {
      return refuse("The feature `" + id + "` is already attached to this product.",
                    "entitlement_feature");
    }
  }
  json attached = ctx.make(kind::product_feature);
  attached["entitlement_feature"] = id;
  attached["_product"] = product;
  const std::string attached_id = text_of(attached, "id");
  ctx.state.insert(kind::product_feature, std::move(attached));
  return ctx.shown(kind::product_feature, attached_id);
}

namespace {

answer<json> attached_of_path(const context& ctx) {
  auto attached = ctx.object(kind::product_feature, ctx.arguments.back());
  if (attached && text_of(*attached, "_product") != ctx.arguments.front()) {
    return missing(kind::product_feature, ctx.arguments.back(), "id", 404);
  }
  return attached;
}

}  // namespace

answer<json> attached_retrieve(context& ctx) {
  auto attached = attached_of_path(ctx);
  if (!attached) return attached;
  return view_of(ctx.state, kind::product_feature, *attached);
}

answer<json> attached_list(context& ctx) {
  if (auto known = ctx.object(kind::product, ctx.arguments.front()); !known) return known;
  filter shown;
  shown.where.push_back({"_product", {ctx.arguments.front()}});
  return list_page(ctx, kind::product_feature, shown);
}

answer<json> detach(context& ctx) {
  auto attached = attached_of_path(ctx);
  if (!attached) return attached;
  const std::string id = text_of(*attached, "id");
  ctx.state.leave_stub(kind::product_feature, id);
  return ctx.shown(kind::product_feature, id);
}

const params::schema& active_list_takes() {
  static const params::schema takes = {params::text("customer").needed()};
  return takes;
}

answer<json> active_retrieve(context& ctx) {
  auto entitlement = ctx.object();
  if (!entitlement) return entitlement;
  return view_of(ctx.state, kind::active_entitlement, *entitlement);
}

answer<json> active_list(context& ctx) {
  const std::string customer = ctx.text("customer");
  if (auto known = ctx.referred(kind::customer, customer, "customer"); !known) return known;
  filter shown;
  shown.where.push_back({"_customer", {customer}});
  return list_page(ctx, kind::active_entitlement, shown);
}

}  // namespace tilld::sandbox::entitlements
