#include "sandbox/catalogue/tax_rates.hpp"

#include <algorithm>

#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::tax_rates {

namespace {

constexpr std::size_t most = 5;

params::schema shared_fields() {
  return {params::boolean("active"),
          params::text("country").clearable(),
          params::text("description").clearable(),
          params::text("display_name", 100),
          params::text("jurisdiction", 200).clearable(),
          params::metadata(),
          params::text("state").clearable(),
          params::choice("tax_type", {"amusement_tax", "communications_tax", "gst", "hst", "igst",
                                      "jct", "lease_tax", "pst", "qst", "retail_delivery_fee",
                                      "rst", "sales_tax", "service_tax", "vat"})
              .clearable()};
}

}  // namespace

params::field field(std::string name) {
  return params::texts(std::move(name)).clearable();
}

answer<json> read(const context& ctx, const json& given, const std::string& param,
                  const json& standing) {
  json ids = json::array();
  if (given.size() > most) return refuse("You can apply at most 5 tax rates.", param);
  for (const auto& element : given) {
    const auto id = element.get<std::string>();
    auto rate = ctx.referred(kind::tax_rate, id, param);
    if (!rate) return rate;
    const bool stood = standing.is_array() &&
                       std::find(standing.begin(), standing.end(), element) != standing.end();
    if (!stood && !truth_of(*rate, "active")) {
      return refuse("The tax rate " + id + " is archived and cannot be applied anew.", param);
    }
    ids.push_back(id);
  }
  return ids;
}

totals::tax_rate terms(const context& ctx, const std::string& id) {
  const json& rate = ctx.state.at(kind::tax_rate, id);
  return {id, decimal::parse(text_of(rate, "_percentage")).value_or(decimal()),
          truth_of(rate, "inclusive")};
}

const params::schema& create_takes() {
  static const params::schema takes = [] {
    params::schema fields = shared_fields();
    for (auto& field : fields)
      field.required = field.name == "display_name";
    fields.push_back(params::boolean("inclusive").needed());
    fields.push_back(params::text("percentage", 20).needed());
    return fields;
  }();
  return takes;
}

answer<json> create(context& ctx) {
  const auto percentage = decimal::parse(ctx.text("percentage"));
  if (!percentage) return refuse("Invalid decimal: " + ctx.text("percentage"), "percentage");
  if (*percentage > decimal::whole(100)) {
    return refuse("Invalid percentage: must be between 0 and 100.", "percentage");
  }
  if (!percentage->times(10'000).is_whole()) {
    return refuse("Invalid percentage: at most 4 decimal places.", "percentage");
  }
  json rate = ctx.make(kind::tax_rate);
  const std::string id = text_of(rate, "id");
  rate["active"] = true;
  ctx.copy_given(rate, {"active", "country", "description", "display_name", "inclusive",
                        "jurisdiction", "state", "tax_type"});
  rate["percentage"] = json::parse(percentage->text());
  rate["_percentage"] = percentage->text();
  if (auto merged = merge_metadata(rate, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  ctx.state.insert(kind::tax_rate, std::move(rate));
  ctx.emit("tax_rate.created", kind::tax_rate, id);
  return ctx.shown(kind::tax_rate, id);
}

answer<json> retrieve(context& ctx) {
  auto rate = ctx.object();
  if (!rate) return rate;
  return view_of(ctx.state, kind::tax_rate, *rate);
}

const params::schema& update_takes() {
  static const params::schema takes = shared_fields();
  return takes;
}

answer<json> update(context& ctx) {
  auto rate = ctx.object();
  if (!rate) return rate;
  const std::string id = text_of(*rate, "id");
  ctx.copy_given(*rate, {"active", "country", "description", "display_name", "jurisdiction",
                         "state", "tax_type"});
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*rate, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.update("tax_rate.updated", kind::tax_rate, std::move(*rate));
  return ctx.shown(kind::tax_rate, id);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::boolean("active"), params::range("created"),
                                       params::boolean("inclusive")};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.also_equal(ctx, "active");
  shown.also_equal(ctx, "inclusive");
  return list_page(ctx, kind::tax_rate, shown);
}

}  // namespace tilld::sandbox::tax_rates
