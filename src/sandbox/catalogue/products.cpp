#include "sandbox/catalogue/products.hpp"

#include <algorithm>

#include "sandbox/catalogue/prices.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::products {

namespace {

params::schema shared_fields() {
  return {params::boolean("active"),
          params::text("description", 40000).clearable(),
          params::texts("images").clearable(),
          params::list("marketing_features", {params::text("name", 80).needed()}).clearable(),
          params::metadata(),
          params::text("name", 2048),
          params::boolean("shippable"),
          params::text("statement_descriptor", 22),
          params::text("unit_label", 12).clearable(),
          params::text("url", 2048).clearable()};
}

json named_product(context& ctx, const std::string& name) {
  json product = ctx.make(kind::product);
  product["active"] = true;
  product["images"] = json::array();
  product["marketing_features"] = json::array();
  product["name"] = name;
  product["type"] = "service";
  product["updated"] = ctx.now;
  return product;
}

answer<void> take_shared(const context& ctx, json& product) {
  ctx.copy_given(product, {"active", "description", "name", "shippable", "statement_descriptor",
                           "unit_label", "url"});
  for (const char* list : {"images", "marketing_features"}) {
    if (!ctx.given(list)) continue;
    product[list] = ctx.param(list).is_null() ? json::array() : ctx.param(list);
  }
  if (!ctx.given("metadata")) return {};
  return merge_metadata(product, ctx.param("metadata"));
}

answer<void> take_own_id(const context& ctx, json& product) {
  if (!ctx.given("id")) return {};
  const std::string id = ctx.text("id");
  if (ctx.state.find_live(kind::product, id) != nullptr) {
    return refuse("Product already exists.", "id", "resource_already_exists");
  }
  product["id"] = id;
  return {};
}

}  // namespace

std::string make(context& ctx, const json& data) {
  json product = named_product(ctx, text_of(data, "name"));
  for (const char* name : {"id", "active", "statement_descriptor", "unit_label", "metadata"}) {
    if (!is_null(data, name)) product[name] = data[name];
  }
  const std::string id = text_of(product, "id");
  ctx.state.insert(kind::product, std::move(product));
  ctx.emit("product.created", kind::product, id);
  return id;
}

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::text("id"));
    fields.push_back(params::choice("type", {"service", "good"}));
    fields.push_back(params::hash("default_price_data", prices::default_price_fields()));
    for (auto& field : fields)
      field.required = field.required || field.name == "name";
    return fields;
  }();
  return takes;
}

answer<json> create(context& ctx) {
  json product = named_product(ctx, ctx.text("name"));
  if (auto taken = take_own_id(ctx, product); !taken) return std::unexpected(taken.error());
  if (auto taken = take_shared(ctx, product); !taken) return std::unexpected(taken.error());
  ctx.copy_given(product, {"type"});
  const std::string id = text_of(product, "id");
  ctx.state.insert(kind::product, std::move(product));
  ctx.emit("product.created", kind::product, id);
  if (ctx.given("default_price_data")) {
    auto price = prices::make(ctx, id, ctx.param("default_price_data"), "default_price_data");
    if (!price) return std::unexpected(price.error());
    json priced = ctx.state.live(kind::product, id);
    priced["default_price"] = *price;
    ctx.update("product.updated", kind::product, std::move(priced));
  }
  return ctx.shown(kind::product, id);
}

answer<json> retrieve(context& ctx) {
  auto product = ctx.object();
  if (!product) return product;
  return view_of(ctx.state, kind::product, *product);
}

const params::schema& update_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    fields.push_back(params::text("default_price").clearable());
    return fields;
  }();
  return takes;
}

answer<json> update(context& ctx) {
  auto product = ctx.object();
  if (!product) return product;
  const std::string id = text_of(*product, "id");
  if (auto taken = take_shared(ctx, *product); !taken) return std::unexpected(taken.error());
  if (ctx.given("default_price") && !ctx.param("default_price").is_null()) {
    auto price = ctx.referred(kind::price, ctx.text("default_price"), "default_price");
    if (!price) return price;
    if (text_of(*price, "product") != id) {
      return refuse("The price specified does not belong to the product.", "default_price");
    }
  }
  ctx.copy_given(*product, {"default_price"});
  if (*product != ctx.state.live(kind::product, id)) (*product)["updated"] = ctx.now;
  ctx.update("product.updated", kind::product, std::move(*product));
  return ctx.shown(kind::product, id);
}

answer<json> remove(context& ctx) {
  auto product = ctx.object();
  if (!product) return product;
  const std::string id = text_of(*product, "id");
  if (!ctx.state.with(kind::price, "product", id).empty()) {
    return refuse("This product cannot be deleted because it has one or more user-created prices.");
  }
  json last = ctx.shown(kind::product, id);
  ctx.state.leave_stub(kind::product, id);
  ctx.emit_object("product.deleted", std::move(last));
  return ctx.shown(kind::product, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::boolean("active"),
                                       params::range("created"),
                                       params::texts("ids"),
                                       params::boolean("shippable"),
                                       params::choice("type", {"service", "good"}),
                                       params::text("url")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  for (const char* param : {"active", "shippable", "type", "url"})
    shown.also_equal(ctx, param);
  if (ctx.given("ids")) {
    shown.also.push_back([ids = ctx.param("ids")](const json& product) {
      return std::find(ids.begin(), ids.end(), product["id"]) != ids.end();
    });
  }
  return list_page(ctx, kind::product, shown);
}

}  // namespace tilld::sandbox::products
