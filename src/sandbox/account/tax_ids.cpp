#include "sandbox/account/tax_ids.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::tax_ids {

namespace {

// Source: https://docs.stripe.com/api/tax_ids/create (type)
constexpr std::string_view types =
    "ad_nrt ae_trn al_tin am_tin ao_tin ar_cuit au_abn au_arn aw_tin az_tin ba_tin bb_tin bd_bin "
    "bf_ifu bg_uic bh_vat bj_ifu bo_tin br_cnpj br_cpf bs_tin by_tin ca_bn ca_gst_hst ca_pst_bc "
    "ca_pst_mb ca_pst_sk ca_qst cd_nif ch_uid ch_vat cl_tin cm_niu cn_tin co_nit cr_tin cv_nif "
    "de_stn do_rcn ec_ruc eg_tin es_cif et_tin eu_oss_vat eu_vat gb_vat ge_vat gn_nif hk_br hr_oib "
    "hu_tin id_npwp il_vat in_gst is_vat jp_cn jp_rn jp_trn ke_pin kg_tin kh_tin kr_brn kz_bin "
    "la_tin li_uid li_vat ma_vat md_vat me_pib mk_vat mr_nif mx_rfc my_frp my_itn my_sst ng_tin "
    "no_vat no_voec np_pan nz_gst om_vat pe_ruc ph_tin pl_nip ro_tin rs_pib ru_inn ru_kpp sa_vat "
    "sg_gst sg_uen si_tin sn_ninea sr_fin sv_nit th_vat tj_tin tr_tin tw_vat tz_vat ua_vat ug_tin "
    "us_ein uy_ruc uz_tin uz_vat ve_rif vn_tin za_vat zm_tin zw_tin";

constexpr std::string_view eu_countries =
    "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI";

constexpr std::int64_t answered_after_s = 60;  // assumed: Stripe says that it takes a while

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    all.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

bool is_known(std::string_view word, std::string_view list) {
  const auto all = words(list);
  return std::find(all.begin(), all.end(), word) != all.end();
}

std::string compact_value(const std::string& value) {
  std::string kept;
  for (const char c : value) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter) != 0) kept.push_back(static_cast<char>(std::toupper(letter)));
  }
  return kept;
}

// Stripe checks the form of each type. Here: that there is a number in it, and for European ones
// the country before it; a stricter form is assumed to be right.
bool is_well_formed(const std::string& type, const std::string& value) {
  const std::string plain = compact_value(value);
  const bool has_digit = std::any_of(plain.begin(), plain.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
  if (!has_digit || plain.size() < 4 || plain.size() > 30) return false;
  if (type == "eu_vat") {
    return plain.size() >= 10 && plain.size() <= 14 && is_known(plain.substr(0, 2), eu_countries);
  }
  if (type == "gb_vat") return plain.starts_with("GB") || plain.starts_with("XI");
  if (type == "us_ein") return plain.size() == 9;
  return true;
}

std::string country_of(const std::string& type, const std::string& value) {
  if (type == "eu_vat") {
    std::string country = compact_value(value).substr(0, 2);
    return country == "EL" ? "GR" : country == "XI" ? "GB" : country;
  }
  std::string country = type.substr(0, 2);
  for (char& c : country)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return country;
}

// Those that some authority is asked about.
// Source: https://docs.stripe.com/billing/customer/tax-ids#validation
bool is_verified_by_somebody(const std::string& type) {
  return type == "eu_vat" || type == "gb_vat" || type == "au_abn" || type == "nz_gst";
}

// The numbers that test mode has an answer to; the rest wait for ever.
// Source: https://docs.stripe.com/billing/customer/tax-ids#test-integration
std::string verdict_of(const std::string& value) {
  const std::string plain = compact_value(value);
  if (plain.ends_with("000000000")) return "verified";
  if (plain.ends_with("111111111")) return "unverified";
  return {};
}

params::field type_field() {
  return params::choice("type", words(types));
}

answer<void> check_value(const std::string& type, const std::string& value,
                         const std::string& param) {
  if (is_well_formed(type, value)) return {};
  return refuse("Invalid value for " + type + ".", param, "tax_id_invalid");
}

json make(context& ctx, const json& owner, const std::string& type, const std::string& value) {
  json id = ctx.make(kind::tax_id);
  const std::string country = country_of(type, value);
  const std::string customer = text_of(owner, "customer");
  id["country"] = country;
  if (!customer.empty()) id["customer"] = customer;
  id["owner"] = owner;
  id["type"] = type;
  id["value"] = value;
  if (!customer.empty()) {
    const bool asked = is_verified_by_somebody(type);
    id["verification"] = {{"status", asked ? "pending" : "unavailable"},
                          {"verified_address", nullptr},
                          {"verified_name", nullptr}};
    if (asked && !verdict_of(value).empty()) id["_due"] = ctx.now + answered_after_s;
    id["_clock"] = clock_of(ctx.state.live(kind::customer, customer));
  } else {
    id["customer"] = nullptr;
    id["verification"] = nullptr;
  }
  id["_owner"] = text_of(owner, "type");
  return id;
}

json owned_by_customer(const std::string& customer) {
  return {{"customer", customer}, {"customer_account", nullptr}, {"type", "customer"}};
}

std::string enter(context& ctx, json id) {
  std::string its = text_of(id, "id");
  const bool of_customer = !is_null(id, "customer");
  ctx.state.insert(kind::tax_id, std::move(id));
  if (of_customer) ctx.emit("customer.tax_id.created", kind::tax_id, its);
  return its;
}

json take_away(context& ctx, const json& id) {
  const std::string its = text_of(id, "id");
  json last = ctx.shown(kind::tax_id, its);
  const bool of_customer = !is_null(id, "customer");
  ctx.state.forget(kind::tax_id, its);
  if (of_customer) ctx.emit_object("customer.tax_id.deleted", std::move(last));
  return {{"id", its}, {"object", "tax_id"}, {"deleted", true}};
}

answer<json> of_this_customer(const context& ctx) {
  const std::string& customer = ctx.arguments.front();
  if (auto known = ctx.object(kind::customer, customer); !known) return known;
  const std::string& id = ctx.arguments.back();
  const json* found = ctx.state.find_live(kind::tax_id, id);
  if (found != nullptr && text_of(*found, "customer") == customer) return *found;
  return missing(kind::tax_id, id, "id", 404);
}

answer<json> owner_of_request(const context& ctx) {
  const json& asked = ctx.param("owner");
  const std::string type = asked.is_object() ? text_of(asked, "type") : "self";
  if (type == "self") {
    return json{{"customer", nullptr}, {"customer_account", nullptr}, {"type", "self"}};
  }
  if (type != "customer") {
    return not_simulated("The sandbox does not simulate tax IDs owned by an " + type + ".",
                         "owner[type]");
  }
  const std::string customer = text_of(asked, "customer");
  if (customer.empty()) return refuse(stripe::parameter_missing("owner[customer]"));
  if (auto known = ctx.referred(kind::customer, customer, "owner[customer]"); !known) return known;
  return owned_by_customer(customer);
}

params::field owner_field() {
  return params::hash(
      "owner", {params::choice("type", {"account", "application", "customer", "self"}).needed(),
                params::text("customer"), params::unsimulated("account"),
                params::unsimulated("customer_account")});
}

}  // namespace

params::field data_field() {
  return params::list("tax_id_data", {type_field().needed(), params::text("value").needed()});
}

answer<void> add(context& ctx, const std::string& customer, const json& data) {
  const std::size_t count = data.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string type = text_of(data[i], "type");
    const std::string value = text_of(data[i], "value");
    const std::string param = "tax_id_data[" + std::to_string(i) + "][value]";
    if (auto right = check_value(type, value, param); !right) return right;
    enter(ctx, make(ctx, owned_by_customer(customer), type, value));
  }
  return {};
}

json of(const world& w, const std::string& customer) {
  json all = json::array();
  auto found = w.with(kind::tax_id, "customer", customer);
  std::reverse(found.begin(), found.end());
  for (const json* id : found)
    all.push_back({{"type", (*id)["type"]}, {"value", (*id)["value"]}});
  return all;
}

void fall_due(context& ctx, const std::string& its) {
  json id = ctx.state.live(kind::tax_id, its);
  id.erase("_due");
  const std::string verdict = verdict_of(text_of(id, "value"));
  id["verification"]["status"] = verdict;
  if (verdict == "verified") {
    const json& customer = ctx.state.live(kind::customer, text_of(id, "customer"));
    id["verification"]["verified_name"] = customer["name"];
  }
  ctx.update("customer.tax_id.updated", kind::tax_id, std::move(id));
}

const params::schema& create_takes() {
  static const params::schema takes = {type_field().needed(), params::text("value").needed(),
                                       owner_field()};
  return takes;
}

answer<json> create(context& ctx) {
  auto owner = owner_of_request(ctx);
  if (!owner) return owner;
  if (auto right = check_value(ctx.text("type"), ctx.text("value"), "value"); !right) {
    return std::unexpected(right.error());
  }
  return ctx.shown(kind::tax_id,
                   enter(ctx, make(ctx, *owner, ctx.text("type"), ctx.text("value"))));
}

answer<json> retrieve(context& ctx) {
  auto id = ctx.object();
  if (!id) return id;
  return view_of(ctx.state, kind::tax_id, *id);
}

answer<json> remove(context& ctx) {
  auto id = ctx.object();
  if (!id) return id;
  return take_away(ctx, *id);
}

const params::schema& list_takes() {
  static const params::schema takes = {owner_field()};
  return takes;
}

answer<json> list(context& ctx) {
  auto owner = owner_of_request(ctx);
  if (!owner) return owner;
  filter shown;
  const std::string customer = text_of(*owner, "customer");
  if (!customer.empty()) {
    shown.where.push_back({"customer", {customer}});
  } else {
    shown.also.push_back([](const json& id) { return text_of(id, "_owner") == "self"; });
  }
  return list_page(ctx, kind::tax_id, shown);
}

const params::schema& customers_takes() {
  static const params::schema takes = {type_field().needed(), params::text("value").needed()};
  return takes;
}

answer<json> create_of_customer(context& ctx) {
  const std::string customer = ctx.arguments.front();
  if (auto known = ctx.object(kind::customer, customer); !known) return known;
  if (auto right = check_value(ctx.text("type"), ctx.text("value"), "value"); !right) {
    return std::unexpected(right.error());
  }
  const json id = make(ctx, owned_by_customer(customer), ctx.text("type"), ctx.text("value"));
  return ctx.shown(kind::tax_id, enter(ctx, id));
}

answer<json> retrieve_of_customer(context& ctx) {
  auto id = of_this_customer(ctx);
  if (!id) return id;
  return view_of(ctx.state, kind::tax_id, *id);
}

answer<json> remove_of_customer(context& ctx) {
  auto id = of_this_customer(ctx);
  if (!id) return id;
  return take_away(ctx, *id);
}

answer<json> list_of_customer(context& ctx) {
  const std::string& customer = ctx.arguments.front();
  if (auto known = ctx.object(kind::customer, customer); !known) return known;
  filter shown;
  shown.where.push_back({"customer", {customer}});
  return list_page(ctx, kind::tax_id, shown);
}

}  // namespace tilld::sandbox::tax_ids
